import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import software.amazon.event.ruler.Machine;
import software.amazon.event.ruler.RuleCompiler;

/**
 * Answers each line of standard input with a line, and ends with it. The first line is a list of event patterns, answered
 * by "ok" or by what event-ruler has against one of them. Every other line is an event, answered by a 1 for each pattern
 * that it matches and a 0 for the others.
 */
public class Ruler {
  public static void main(String[] args) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    List<Machine> machines = new ArrayList<>();
    String refused = null;
    for (JsonNode pattern : new ObjectMapper().readTree(in.readLine())) {
      String invalid = RuleCompiler.check(pattern.asText());
      if (invalid != null) {
        refused = invalid;
        break;
      }
      Machine machine = new Machine();
      machine.addRule("pattern", pattern.asText());
      machines.add(machine);
    }
    out.println(refused == null ? "ok" : "refused: " + refused.replace('\n', ' '));
    out.flush();
    for (String event; (event = in.readLine()) != null; ) {
      StringBuilder answer = new StringBuilder();
      for (Machine machine : machines) {
        answer.append(machine.rulesForJSONEvent(event).isEmpty() ? '0' : '1');
      }
      out.println(answer);
    }
    out.flush();
  }
}
