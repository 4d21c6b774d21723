// Package elasticsearch runs a real Elasticsearch node for tests.
//
// It is made of the jars on Maven Central, which are the server and its
// transport. What Elastic publishes elsewhere is not there: the types wildcard,
// constant_keyword and match_only_text, ingest processors, index lifecycle
// management, security. GET / and _data_stream come from MissingRest.java; what
// they print is ours, the state behind it is real.
package elasticsearch

import (
	"context"
	"embed"

	"trailhound/tests/receivers/node"
)

//go:embed pom.xml run.sh src
var folder embed.FS

// Start starts a node; see node.Start.
func Start(ctx context.Context, opt node.Options) (*node.Node, error) {
	return node.Start(ctx, "elasticsearch", folder, opt)
}
