"""Checks templates with CloudFormation's own validation (cloudformation-validate), and the roles' policies with
parliament, which knows each service's actions and their resources.

Exits with 1 for any finding except those ignored below, each with its reason.
"""

import json
import sys

from cloudformation_validate import CompositeEngine
from parliament import analyze_policy_string

IGNORED_RULES = {
    "W3005",  # CDK adds DependsOn for a role to the GetAtt that already orders it
    "W9013",  # an account in an ARN: the context may name ARNs
}
IGNORED_FINDINGS = {
    # Parliament rejects the colons in a stream's label, which is a time.
    "RESOURCE_MISMATCH": {"dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"},
}
PSEUDO = {"AWS::Partition": "aws", "AWS::Region": "eu-west-1", "AWS::AccountId": "111122223333"}
RESOURCE = {
    "AWS::DynamoDB::Table": "dynamodb:%s:table/",
    "AWS::Lambda::Function": "lambda:%s:function:",
    "AWS::Logs::LogGroup": "logs:%s:log-group:",
    "AWS::Pipes::Pipe": "pipes:%s:pipe/",
    "AWS::SNS::Topic": "sns:%s:",
    "AWS::SQS::Queue": "sqs:%s:",
    "AWS::StepFunctions::StateMachine": "states:%s:stateMachine:",
}


def resolve(value, resources):
    """Replaces references by ARNs, as CloudFormation does."""
    if isinstance(value, list):
        return [resolve(v, resources) for v in value]
    if not isinstance(value, dict):
        return value
    if "Ref" in value and value["Ref"] in PSEUDO:
        return PSEUDO[value["Ref"]]
    if "Ref" in value or "Fn::GetAtt" in value:
        name, attribute = value.get("Fn::GetAtt") or (value["Ref"], "Arn")
        kind = resources[name]["Type"]
        suffix = {"StreamArn": "/stream/2026-01-01T00:00:00.000"}.get(attribute, "")
        suffix = ":*" if kind == "AWS::Logs::LogGroup" else suffix
        return "arn:aws:" + RESOURCE[kind] % "eu-west-1:111122223333" + name + suffix
    if "Fn::Join" in value:
        separator, parts = value["Fn::Join"]
        return separator.join(resolve(parts, resources))
    return {k: resolve(v, resources) for k, v in value.items()}


def check_policies(resources):
    for name, resource in resources.items():
        if resource["Type"] != "AWS::IAM::Policy":
            continue
        document = json.dumps(resolve(resource["Properties"]["PolicyDocument"], resources))
        for finding in analyze_policy_string(document).findings:
            actions = {d["action"] for d in finding.detail} if isinstance(finding.detail, list) else {""}
            if not actions <= IGNORED_FINDINGS.get(finding.issue, set()):
                yield f"{name}: {finding.issue}: {finding.detail}"


def check_template(engine, path):
    for d in engine.validate_template(path).diagnostics:
        if d.severity.name != "INFO" and d.rule_id not in IGNORED_RULES:
            yield f"{d.severity.name} {d.rule_id}: {d.message}"


def main(paths):
    engine, found = CompositeEngine(), 0
    for path in paths:
        with open(path, encoding="utf-8") as file:
            resources = json.load(file)["Resources"]
        policies = sum(r["Type"] == "AWS::IAM::Policy" for r in resources.values())
        findings = [*check_template(engine, path), *check_policies(resources)]
        for finding in findings:
            print(f"{path}: {finding}", file=sys.stderr)
        found += len(findings)
        print(f"{path}: {len(resources)} resources, {policies} policies, {len(findings)} findings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
