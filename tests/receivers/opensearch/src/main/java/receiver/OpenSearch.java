package receiver;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

import org.opensearch.common.logging.LogConfigurator;
import org.opensearch.common.settings.Settings;
import org.opensearch.env.Environment;
import org.opensearch.index.mapper.MapperExtrasPlugin;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.node.Node;
import org.opensearch.plugins.Plugin;
import org.opensearch.transport.Netty4Plugin;

/**
 * One OpenSearch node in this JVM, on loopback. Arguments: HOME HTTP_PORT TRANSPORT_PORT [setting=value ...].
 * It ends when standard input does, so that it cannot outlive a test that crashed.
 */
public final class OpenSearch {
    private static final String NAME = "receiver";

    /** The constructor that takes the modules as classes is for subclasses. */
    private static final class WithModules extends Node {
        WithModules(Environment env, Collection<Class<? extends Plugin>> modules) {
            super(env, modules, false);
        }
    }

    public static void main(String[] args) throws Exception {
        Path home = Path.of(args[0]).toAbsolutePath();
        for (String dir : new String[] { "config", "lib", "plugins", "modules", "logs" }) {
            Files.createDirectories(home.resolve(dir));
        }
        System.setProperty("opensearch.path.home", home.toString());
        System.setProperty("opensearch.logs.base_path", home.resolve("logs").toString());
        System.setProperty("opensearch.logs.cluster_name", NAME);

        Environment env = InternalSettingsPreparer.prepareEnvironment(settings(home, args), Map.of(), null, () -> NAME);
        LogConfigurator.setNodeName(NAME);
        LogConfigurator.configureWithoutConfig(env.settings());

        Node node = new WithModules(env, List.of(Netty4Plugin.class, MapperExtrasPlugin.class));
        Runtime.getRuntime().addShutdownHook(new Thread(() -> close(node)));
        node.start();
        System.out.println("READY");
        System.out.flush();
        while (System.in.read() >= 0) {
        }
        System.exit(0);
    }

    private static Settings settings(Path home, String[] args) {
        Settings.Builder b = Settings.builder()
            .put("path.home", home)
            .put("cluster.name", NAME)
            .put("node.name", NAME)
            .put("discovery.type", "single-node")
            .put("network.host", "127.0.0.1")
            .put("http.port", args[1])
            .put("transport.port", args[2])
            .put("http.type", "netty4")
            .put("transport.type", "netty4")
            // A disk that is nearly full would make indices read-only.
            .put("cluster.routing.allocation.disk.threshold_enabled", false);
        for (int i = 3; i < args.length; i++) {
            int equals = args[i].indexOf('=');
            b.put(args[i].substring(0, equals), args[i].substring(equals + 1));
        }
        return b.build();
    }

    private static void close(Node node) {
        try {
            node.close();
            node.awaitClose(20, TimeUnit.SECONDS);
        } catch (Exception e) {
            e.printStackTrace();
        }
    }

    private OpenSearch() {
    }
}
