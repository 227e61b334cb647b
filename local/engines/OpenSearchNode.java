import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.function.UnaryOperator;
import org.codelibs.opensearch.runner.node.OpenSearchRunnerNode;
import org.opensearch.common.logging.LogConfigurator;
import org.opensearch.common.settings.Settings;
import org.opensearch.common.util.concurrent.ThreadContext;
import org.opensearch.core.rest.RestStatus;
import org.opensearch.env.Environment;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.plugins.ActionPlugin;
import org.opensearch.plugins.Plugin;
import org.opensearch.rest.BytesRestResponse;
import org.opensearch.rest.RestChannel;
import org.opensearch.rest.RestHandler;
import org.opensearch.rest.RestRequest;
import org.opensearch.transport.client.node.NodeClient;

/**
 * One OpenSearch node in the foreground, from jars alone: OpenSearch publishes no launcher that works without
 * its distribution's folders. The argument is the home folder; it holds config/opensearch.yml and
 * config/log4j2.properties. SIGTERM closes the node. Exits with 1 when the node cannot start.
 * artifacts.ts compiles it into launcher/launcher.jar, beside OpenSearch's own jars.
 */
public final class OpenSearchNode {
  /** The modules that a distribution loads from its modules folder. */
  private static final List<String> MODULES = List.of(
      "org.opensearch.search.aggregations.matrix.MatrixAggregationModulePlugin",
      "org.opensearch.analysis.common.CommonAnalysisModulePlugin",
      "org.opensearch.script.expression.ExpressionModulePlugin",
      "org.opensearch.script.mustache.MustacheModulePlugin",
      "org.opensearch.painless.PainlessModulePlugin",
      "org.opensearch.index.mapper.MapperExtrasModulePlugin",
      "org.opensearch.index.reindex.ReindexModulePlugin",
      "org.opensearch.transport.Netty4ModulePlugin");

  public static void main(String[] args) {
    try {
      run(Path.of(args[0]).toAbsolutePath());
    } catch (Throwable failure) {
      failure.printStackTrace();
      // Again in short, so that the end of the log says it: the stack traces are longer than what anybody quotes.
      System.err.println("OpenSearch did not start: " + failure);
      for (Throwable cause = failure.getCause(); cause != null; cause = cause.getCause()) {
        System.err.println("  because of: " + cause);
      }
      // The node's own threads would keep a half-started process alive.
      Runtime.getRuntime().halt(1);
    }
  }

  private static void run(Path home) throws Exception {
    Settings settings = Settings.builder().put("path.home", home.toString()).build();
    Environment environment =
        InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), home.resolve("config"), () -> "local");
    LogConfigurator.registerErrorListener();
    LogConfigurator.configure(environment);
    List<Class<? extends Plugin>> modules = new ArrayList<>();
    for (String name : MODULES) {
      modules.add(Class.forName(name).asSubclass(Plugin.class));
    }
    modules.add(OwnNamesOnly.class);
    OpenSearchRunnerNode node = new OpenSearchRunnerNode(environment, modules);
    CountDownLatch closed = new CountDownLatch(1);
    Runtime.getRuntime().addShutdownHook(new Thread(() -> {
      try {
        node.close();
      } catch (Exception failure) {
        failure.printStackTrace();
      } finally {
        closed.countDown();
      }
    }));
    node.start();
    closed.await();
  }

  /**
   * Refuses requests for other names: a web page whose own name leads to this machine (DNS rebinding) could otherwise
   * read and delete everything. Pages of other names are refused by the setting http.cors.enabled.
   */
  public static final class OwnNamesOnly extends Plugin implements ActionPlugin {
    private static final Set<String> NAMES = Set.of("127.0.0.1", "localhost");

    @Override
    @SuppressWarnings("removal") // The security plugin uses it, too.
    public UnaryOperator<RestHandler> getRestHandlerWrapper(ThreadContext context) {
      return handler -> new RestHandler.Wrapper(handler) {
        @Override
        public void handleRequest(RestRequest request, RestChannel channel, NodeClient client) throws Exception {
          String host = request.header("Host");
          if (host != null && NAMES.contains(host.replaceFirst(":\\d+$", ""))) {
            super.handleRequest(request, channel, client);
          } else {
            String reason = "This OpenSearch answers at 127.0.0.1 only, not at " + host + ".";
            channel.sendResponse(new BytesRestResponse(RestStatus.FORBIDDEN, reason));
          }
        }
      };
    }
  }
}
