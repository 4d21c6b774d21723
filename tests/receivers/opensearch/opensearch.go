// Package opensearch runs a real OpenSearch node for tests.
//
// It is made of the jars on Maven Central: the server, its transport and the
// module mapper-extras. The plugins for security and index state management are
// not there.
package opensearch

import (
	"context"
	"embed"

	"trailhound/tests/receivers/node"
)

//go:embed pom.xml run.sh src
var folder embed.FS

// Start starts a node; see node.Start.
func Start(ctx context.Context, opt node.Options) (*node.Node, error) {
	return node.Start(ctx, "opensearch", folder, opt)
}
