package remote

// TLSKeys are the keys of an output's tls section, all of them optional. Embed
// them under that name:
//
//	TLS remote.TLSKeys `key:"tls"`
type TLSKeys struct {
	CA         string   `key:"ca" default:"" yaml:"ca" doc:"PEM file of the authorities that the receiver's certificate may come from; empty: the system's"`
	Cert       string   `key:"cert" default:"" yaml:"cert" doc:"PEM file of the client certificate, with those between it and its authority behind it; read again when it changes"`
	Key        string   `key:"key" default:"" yaml:"key" doc:"PEM file of its private key"`
	ServerName string   `key:"server_name" default:"" yaml:"server_name" doc:"name that the receiver's certificate has to bear; empty: the host of the address"`
	Pin        []string `key:"pin" default:"[]" yaml:"pin" doc:"SHA-256 digests, one of which the receiver has to match: of its certificate or its public key (hex, or sha256//base64 as curl has it), or of the authority that it sends along; without ca only the pin counts"`
	MinVersion string   `key:"min_version" default:"1.2" oneof:"1.2 1.3" yaml:"min_version" doc:"lowest version of TLS"`
}

// Given says whether any key was set.
func (k *TLSKeys) Given() bool {
	return k.CA != "" || k.Cert != "" || k.Key != "" || k.ServerName != "" || len(k.Pin) > 0 || k.MinVersion != "" && k.MinVersion != "1.2"
}
