import java.lang.reflect.Field;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import software.amazon.dynamodb.services.local.main.ServerRunner;
import software.amazon.dynamodb.services.local.server.DynamoDBProxyServer;

/**
 * Runs DynamoDB Local in memory, prints its port as a line, and ends when standard input does: so it ends with the
 * process that started it, however that ends.
 *
 * <p>The server has no option for its address and would listen on every interface. Its connector is changed instead: to
 * loopback, and to a port that the operating system chooses.
 */
public class DynamoDBLocal {
  public static void main(String[] args) throws Exception {
    DynamoDBProxyServer local = ServerRunner.createServerFromCommandLineArgs(
        new String[] {"-inMemory", "-disableTelemetry"});
    Field field = DynamoDBProxyServer.class.getDeclaredField("server");
    field.setAccessible(true);
    ServerConnector connector = (ServerConnector) ((Server) field.get(local)).getConnectors()[0];
    connector.setHost("127.0.0.1");
    connector.setPort(0);
    local.start();
    System.out.println("port " + connector.getLocalPort());
    while (System.in.read() >= 0) {
      // Nobody writes; the end is what is waited for.
    }
    Runtime.getRuntime().halt(0);
  }
}
