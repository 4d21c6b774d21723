package receiver;

import java.util.Set;
import java.util.HashSet;
import java.util.List;

import org.elasticsearch.Build;
import org.elasticsearch.ResourceNotFoundException;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.action.support.master.AcknowledgedResponse;
import org.elasticsearch.client.internal.node.NodeClient;
import org.elasticsearch.cluster.ClusterState;
import org.elasticsearch.cluster.ClusterStateUpdateTask;
import org.elasticsearch.cluster.metadata.DataStream;
import org.elasticsearch.cluster.metadata.Metadata;
import org.elasticsearch.cluster.metadata.MetadataCreateDataStreamService;
import org.elasticsearch.cluster.metadata.MetadataCreateIndexService;
import org.elasticsearch.cluster.metadata.MetadataDeleteIndexService;
import org.elasticsearch.cluster.service.ClusterService;
import org.elasticsearch.common.regex.Regex;
import org.elasticsearch.core.TimeValue;
import org.elasticsearch.index.Index;
import org.elasticsearch.injection.guice.Injector;
import org.elasticsearch.node.Node;
import org.elasticsearch.rest.RestChannel;
import org.elasticsearch.rest.RestController;
import org.elasticsearch.rest.RestHandler;
import org.elasticsearch.rest.RestRequest;
import org.elasticsearch.rest.RestResponse;
import org.elasticsearch.rest.RestStatus;
import org.elasticsearch.rest.action.RestToXContentListener;
import org.elasticsearch.threadpool.ThreadPool;
import org.elasticsearch.xcontent.ToXContent;
import org.elasticsearch.xcontent.XContentBuilder;

/**
 * The two things a stock distribution has that Maven Central does not: "GET /" (module rest-root) and
 * "PUT|GET|DELETE _data_stream" (module data-streams). The handlers below are this project's own and only
 * call the server's own services, so the state they make is the real one; what they print is a subset.
 */
final class MissingRest {
    static void register(Node node) {
        Injector in = node.injector();
        RestController rest = in.getInstance(RestController.class);
        ClusterService cluster = in.getInstance(ClusterService.class);
        MetadataCreateDataStreamService create = new MetadataCreateDataStreamService(
            in.getInstance(ThreadPool.class), cluster, in.getInstance(MetadataCreateIndexService.class));

        RestHandler root = (rq, ch, client) -> {
            Build b = Build.current();
            ClusterState s = cluster.state();
            ch.sendResponse(new RestResponse(RestStatus.OK, ch.newBuilder().prettyPrint().startObject()
                .field("name", cluster.getNodeName())
                .field("cluster_name", s.getClusterName().value())
                .field("cluster_uuid", s.metadata().clusterUUID())
                .startObject("version")
                .field("number", b.qualifiedVersion())
                .field("build_flavor", b.flavor())
                .field("build_type", b.type().displayName())
                .field("build_hash", b.hash())
                .field("build_date", b.date())
                .field("build_snapshot", b.isSnapshot())
                .field("lucene_version", org.apache.lucene.util.Version.LATEST.toString())
                .field("minimum_wire_compatibility_version", b.minWireCompatVersion())
                .field("minimum_index_compatibility_version", b.minIndexCompatVersion())
                .endObject()
                .field("tagline", "You Know, for Search")
                .endObject()));
        };
        on(rest, RestRequest.Method.GET, "/", root);
        on(rest, RestRequest.Method.HEAD, "/", root);

        on(rest, RestRequest.Method.PUT, "/_data_stream/{name}", (rq, ch, client) -> create.createDataStream(
            new MetadataCreateDataStreamService.CreateDataStreamClusterStateUpdateRequest(
                rq.param("name"), System.currentTimeMillis(), null, TimeValue.timeValueSeconds(30), TimeValue.timeValueSeconds(30), true),
            new RestToXContentListener<>(ch)));

        RestHandler get = (rq, ch, client) -> {
            String pattern = rq.param("name", "*");
            Metadata md = cluster.state().metadata();
            XContentBuilder x = ch.newBuilder().startObject().startArray("data_streams");
            boolean any = false;
            for (DataStream ds : md.dataStreams().values()) {
                if (Regex.simpleMatch(pattern.split(","), ds.getName())) {
                    any = true;
                    ds.toXContent(x, ToXContent.EMPTY_PARAMS);
                }
            }
            x.endArray().endObject();
            if (any == false && Regex.isSimpleMatchPattern(pattern) == false) {
                x.close();
                ch.sendResponse(new RestResponse(ch, new org.elasticsearch.index.IndexNotFoundException(pattern)));
                return;
            }
            ch.sendResponse(new RestResponse(RestStatus.OK, x));
        };
        on(rest, RestRequest.Method.GET, "/_data_stream", get);
        on(rest, RestRequest.Method.GET, "/_data_stream/{name}", get);

        on(rest, RestRequest.Method.DELETE, "/_data_stream/{name}", (rq, ch, client) -> {
            String pattern = rq.param("name");
            ActionListener<AcknowledgedResponse> done = new RestToXContentListener<>(ch);
            cluster.submitUnbatchedStateUpdateTask("remove data stream " + pattern, new ClusterStateUpdateTask() {
                @Override
                public ClusterState execute(ClusterState s) {
                    Metadata.Builder md = Metadata.builder(s.metadata());
                    Set<Index> indices = new HashSet<>();
                    for (DataStream ds : s.metadata().dataStreams().values()) {
                        if (Regex.simpleMatch(pattern, ds.getName())) {
                            md.removeDataStream(ds.getName());
                            indices.addAll(ds.getIndices());
                            indices.addAll(ds.getFailureIndices());
                        }
                    }
                    if (indices.isEmpty()) {
                        throw new ResourceNotFoundException("data_stream matching [" + pattern + "] not found");
                    }
                    return MetadataDeleteIndexService.deleteIndices(
                        ClusterState.builder(s).metadata(md).build(), indices, cluster.getSettings());
                }

                @Override
                public void clusterStateProcessed(ClusterState oldState, ClusterState newState) {
                    done.onResponse(AcknowledgedResponse.TRUE);
                }

                @Override
                public void onFailure(Exception e) {
                    done.onFailure(e);
                }
            });
        });
    }

    private static void on(RestController rest, RestRequest.Method m, String path, RestHandler h) {
        rest.registerHandler(new RestHandler() {
            @Override
            public List<Route> routes() {
                return List.of(new Route(m, path));
            }

            @Override
            public void handleRequest(RestRequest rq, RestChannel ch, NodeClient client) throws Exception {
                h.handleRequest(rq, ch, client);
            }
        });
    }

    private MissingRest() {
    }
}
