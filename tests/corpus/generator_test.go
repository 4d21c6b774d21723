package corpus

import (
	"bytes"
	"crypto/x509"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// What the builders make must be right by somebody else's reading, or tests
// would prove that two errors agree.
func TestFramesByGopacket(t *testing.T) {
	query := UDP(50000, 53, EDNS(Query(Ask("www.example.org"))))
	for name, c := range map[string]struct {
		frame Frame
		first gopacket.LayerType
		layer gopacket.LayerType // that must be reached
	}{
		"ethernet":   {IP("10.0.0.1", "10.0.0.2", query).Ethernet(), layers.LayerTypeEthernet, layers.LayerTypeDNS},
		"odd length": {IP("10.0.0.1", "10.0.0.2", Data(1, 2, "odd")).Ethernet(), layers.LayerTypeEthernet, layers.LayerTypeTCP},
		"ipv6":       {IP("fe80::1", "fe80::2", query).Ethernet(), layers.LayerTypeEthernet, layers.LayerTypeDNS},
		"extensions": {IPv6("fe80::1", "fe80::2", Syn(1, 2), HopByHop(), Destination()).Ethernet(), layers.LayerTypeEthernet, layers.LayerTypeTCP},
		"vlans":      {IP("10.0.0.1", "10.0.0.2", query).VLAN(7).QinQ(9).Ethernet(), layers.LayerTypeEthernet, layers.LayerTypeDNS},
		"mpls":       {IP("10.0.0.1", "10.0.0.2", query).MPLS(16, 17).Ethernet(), layers.LayerTypeEthernet, layers.LayerTypeDNS},
		"pppoe":      {IP("10.0.0.1", "10.0.0.2", query).PPPoE(false).Ethernet(), layers.LayerTypeEthernet, layers.LayerTypeDNS},
		"sll":        {IP("10.0.0.1", "10.0.0.2", query).SLL(), layers.LayerTypeLinuxSLL, layers.LayerTypeDNS},
		"icmpv6":     {IP("fe80::1", "fe80::2", ICMPv6(128, 0)).Ethernet(), layers.LayerTypeEthernet, layers.LayerTypeICMPv6},
	} {
		p := gopacket.NewPacket(c.frame.Data, c.first, gopacket.Default)
		if bad := p.ErrorLayer(); bad != nil {
			t.Errorf("%s: %v", name, bad.Error())
		}
		if p.Layer(c.layer) == nil {
			t.Errorf("%s: no %v in %v", name, c.layer, p)
		}
		for _, l := range p.Layers() {
			if u, ok := l.(interface {
				SetNetworkLayerForChecksum(gopacket.NetworkLayer) error
			}); ok {
				if err := u.SetNetworkLayerForChecksum(p.NetworkLayer()); err != nil {
					t.Fatal(err)
				}
			}
		}
		if bad, mismatches := p.VerifyChecksums(); bad != nil || len(mismatches) > 0 {
			t.Errorf("%s: checksums %v %v", name, bad, mismatches)
		}
	}
}

func TestFilesByPcapgo(t *testing.T) {
	frames := Each(IP("10.0.0.1", "10.0.0.2", Syn(1, 2)).Ethernet(), IP("10.0.0.1", "10.0.0.2", Data(1, 2, "payload")).Ethernet())
	old, err := pcapgo.NewReader(bytes.NewReader(Pcap(frames)))
	if err != nil {
		t.Fatal(err)
	}
	ng, err := pcapgo.NewNgReader(bytes.NewReader(Pcapng(frames)), pcapgo.DefaultNgReaderOptions)
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range frames {
		for name, r := range map[string]gopacket.PacketDataSource{"pcap": old, "pcapng": ng} {
			data, info, err := r.ReadPacketData()
			if err != nil || !bytes.Equal(data, f.Data) || !info.Timestamp.Equal(f.Time) {
				t.Errorf("%s: frame %d: %v %v", name, i, err, info)
			}
		}
	}
}

func TestCertificate(t *testing.T) {
	der := Certificate("evil.example")
	if c, err := x509.ParseCertificate(der); err != nil || c.Subject.CommonName != "evil.example" {
		t.Error(err)
	}
	if !bytes.Equal(der, Certificate("evil.example")) {
		t.Error("the same name gave two certificates")
	}
}

func TestOffice(t *testing.T) {
	const packets = 3000
	frames := Office(1, packets, "evil.com")
	if len(frames) < packets || len(frames) > packets+100 {
		t.Errorf("%d frames", len(frames))
	}
	for i := 1; i < len(frames); i++ {
		if frames[i].Time.Before(frames[i-1].Time) {
			t.Fatalf("frame %d is before frame %d", i+1, i)
		}
	}
	if !bytes.Equal(Pcap(frames), Pcap(Office(1, packets, "evil.com"))) {
		t.Error("the same seed gave other frames")
	}
	if bytes.Equal(Pcap(frames), Pcap(Office(2, packets, "evil.com"))) {
		t.Error("another seed gave the same frames")
	}
}
