import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import software.amazon.event.ruler.JsonRuleCompiler;
import software.amazon.event.ruler.Machine;

/**
 * Answers each line of standard input with a line, and ends with it. The first line is a list of event patterns,
 * answered by "ok" or, with the end, by what event-ruler has against one of them. Every other line is an event,
 * answered by a 1 for each pattern that it matches and a 0 for the others.
 */
public class Ruler {
  public static void main(String[] args) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    List<Machine> machines = new ArrayList<>();
    for (JsonNode pattern : new ObjectMapper().readTree(in.readLine())) {
      String invalid = JsonRuleCompiler.check(pattern.asText());
      if (invalid != null) {
        System.out.println("refused: " + invalid.replace('\n', ' '));
        return;
      }
      Machine machine = new Machine();
      machine.addRule("pattern", pattern.asText());
      machines.add(machine);
    }
    out.println("ok");
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
