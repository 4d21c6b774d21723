package receiver;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarFile;
import java.util.stream.Collectors;

import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.node.InternalSettingsPreparer;
import org.elasticsearch.node.Node;
import org.elasticsearch.plugins.PluginsLoader;

/**
 * One Elasticsearch node in this JVM, on loopback. Arguments: HOME HTTP_PORT TRANSPORT_PORT [setting=value ...].
 * It ends when standard input does, so that it cannot outlive a test that crashed.
 */
public final class Elasticsearch {
    private static final String NAME = "receiver";

    public static void main(String[] args) throws Exception {
        Path home = Path.of(args[0]).toAbsolutePath();
        for (String dir : new String[] { "config", "lib", "plugins", "modules", "logs" }) {
            Files.createDirectories(home.resolve(dir));
        }
        System.setProperty("es.path.home", home.toString());
        System.setProperty("es.logs.base_path", home.resolve("logs").toString());
        System.setProperty("es.logs.cluster_name", NAME);

        Environment env = InternalSettingsPreparer.prepareEnvironment(settings(home, args), Map.of(), null, () -> NAME);
        LogConfigurator.setNodeName(NAME);
        LogConfigurator.configureWithoutConfig(env.settings());
        LogConfigurator.configureESLogging();

        installModules(Path.of(System.getProperty("dist"), "modules"), env.modulesDir());
        Node node = new Node(env, PluginsLoader.createPluginsLoader(
            PluginsLoader.loadModulesBundles(env.modulesDir()), PluginsLoader.loadPluginsBundles(env.pluginsDir()), Map.of(), false));
        Runtime.getRuntime().addShutdownHook(new Thread(() -> close(node)));
        MissingRest.register(node);
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
            node.prepareForClose();
            node.close();
            node.awaitClose(20, TimeUnit.SECONDS);
        } catch (Exception e) {
            e.printStackTrace();
        }
    }

    /**
     * Makes HOME/modules/NAME: links to the jars, and a plugin-descriptor.properties from META-INF/es-plugins/NAME in
     * the module's own jar, without its module name. That would ask for a layer of JPMS on top of a server that is a
     * module itself, and here the server is on the class path.
     */
    private static void installModules(Path from, Path to) throws IOException {
        try (var modules = Files.newDirectoryStream(from)) {
            for (Path module : modules) {
                String name = module.getFileName().toString();
                Path dir = Files.createDirectories(to.resolve(name));
                try (var jars = Files.newDirectoryStream(module, "*.jar")) {
                    for (Path jar : jars) {
                        Path link = dir.resolve(jar.getFileName());
                        Files.deleteIfExists(link);
                        Files.createSymbolicLink(link, jar.toRealPath());
                        describe(jar, name, dir);
                    }
                }
            }
        }
    }

    private static void describe(Path path, String name, Path dir) throws IOException {
        try (JarFile jar = new JarFile(path.toFile())) {
            var entry = jar.getEntry("META-INF/es-plugins/" + name + "/plugin-descriptor.properties");
            if (entry != null) {
                String text = new String(jar.getInputStream(entry).readAllBytes(), StandardCharsets.UTF_8);
                Files.writeString(dir.resolve("plugin-descriptor.properties"),
                    text.lines().filter(line -> line.startsWith("modulename") == false).collect(Collectors.joining("\n", "", "\n")));
            }
        }
    }

    private Elasticsearch() {
    }
}
