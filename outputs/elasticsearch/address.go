package elasticsearch

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
)

// nodeURLs gives the addresses of the nodes. No error holds an address that may
// have a password in it.
func nodeURLs(k *Keys) ([]*url.URL, error) {
	if k.CloudID != "" {
		if len(k.Addresses) > 0 {
			return nil, errors.New("addresses and cloud_id: give one of them")
		}
		u, err := cloudURL(k.CloudID)
		if err != nil {
			return nil, fmt.Errorf("cloud_id: %w", err)
		}
		return []*url.URL{u}, nil
	}
	if len(k.Addresses) == 0 {
		// go-elasticsearch would take $ELASTICSEARCH_URL or localhost.
		return nil, errors.New("addresses: give at least one URL of a node, or cloud_id")
	}
	var list []*url.URL
	for i, text := range k.Addresses {
		u, err := nodeURL(text)
		if err != nil {
			return nil, fmt.Errorf("addresses[%d]: %w", i, err)
		}
		list = append(list, u)
	}
	return list, nil
}

func nodeURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("not a URL such as https://es.example:9200")
	case u.User != nil:
		return nil, errors.New("a URL cannot hold a password here: use username and password, or api_key")
	case u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("a URL of a node has no query and no fragment")
	}
	u.Path, u.RawPath = strings.TrimRight(u.Path, "/"), ""
	return u, nil
}

// cloudURL gives the address of an Elastic Cloud deployment:
// name:base64(host[:port]$elasticsearch[:port]$kibana).
func cloudURL(id string) (*url.URL, error) {
	bad := errors.New("not the Cloud ID that the console of Elastic Cloud shows")
	coded := id[strings.LastIndexByte(id, ':')+1:]
	data, err := base64.StdEncoding.DecodeString(coded)
	if err != nil {
		if data, err = base64.RawStdEncoding.DecodeString(coded); err != nil {
			return nil, bad
		}
	}
	parts := strings.Split(string(data), "$")
	if len(parts) < 2 || parts[0] == "" || parts[1] == "" {
		return nil, bad
	}
	host, port := splitPort(parts[0], "443")
	name, port := splitPort(parts[1], port)
	name += "." + host
	if strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.") != "" || strings.Trim(port, "0123456789") != "" || port == "" {
		return nil, bad
	}
	return &url.URL{Scheme: "https", Host: net.JoinHostPort(name, port)}, nil
}

func splitPort(text, otherwise string) (host, port string) {
	host, port, ok := strings.Cut(text, ":")
	if !ok {
		port = otherwise
	}
	return host, port
}
