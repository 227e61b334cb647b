import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.codelibs.opensearch.runner.node.OpenSearchRunnerNode;
import org.opensearch.common.logging.LogConfigurator;
import org.opensearch.common.settings.Settings;
import org.opensearch.env.Environment;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.plugins.Plugin;

/**
 * One OpenSearch 2.19 node with its security plugin. Arguments: the home folder, which holds config/, then the classes
 * of modules and plugins. SIGTERM ends the process without a shutdown: a test's data is thrown away.
 */
public final class SecureNode {
  public static void main(String[] args) {
    try {
      Path home = Path.of(args[0]).toAbsolutePath();
      Settings settings = Settings.builder().put("path.home", home.toString()).build();
      Environment environment =
          InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), home.resolve("config"), () -> "secure");
      LogConfigurator.registerErrorListener();
      LogConfigurator.configure(environment);
      List<Class<? extends Plugin>> plugins = new ArrayList<>();
      for (String name : List.of(args).subList(1, args.length)) {
        plugins.add(Class.forName(name).asSubclass(Plugin.class));
      }
      new OpenSearchRunnerNode(environment, plugins).start();
      new CountDownLatch(1).await();
    } catch (Throwable failure) {
      failure.printStackTrace();
      // The node's own threads would keep a half-started process alive.
      Runtime.getRuntime().halt(1);
    }
  }
}
