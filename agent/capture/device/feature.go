package device

import "golang.org/x/sys/unix"

const (
	stringsFeatures = 4    // ETH_SS_FEATURES of linux/ethtool.h
	stringLen       = 32   // ETH_GSTRING_LEN
	maxFeatures     = 1024 // bounds what is believed of a kernel; there are 64 at present
)

// featureNames reads the names of the features in the order of their bits:
// ETHTOOL_GSSET_INFO for how many there are, ETHTOOL_GSTRINGS for the names.
func (e *ethtool) featureNames() ([]string, error) {
	// struct ethtool_sset_info: cmd, reserved, sset_mask, data[].
	b := make([]byte, 20)
	native.PutUint32(b, unix.ETHTOOL_GSSET_INFO)
	native.PutUint64(b[8:], 1<<stringsFeatures)
	if err := e.do(b); err != nil {
		return nil, err
	}
	n := int(native.Uint32(b[16:]))
	if native.Uint64(b[8:]) == 0 || n <= 0 || n > maxFeatures {
		return nil, unix.EOPNOTSUPP
	}
	// struct ethtool_gstrings: cmd, string_set, len, data[].
	b = make([]byte, 12+n*stringLen)
	native.PutUint32(b, unix.ETHTOOL_GSTRINGS)
	native.PutUint32(b[4:], stringsFeatures)
	native.PutUint32(b[8:], uint32(n))
	if err := e.do(b); err != nil {
		return nil, err
	}
	names := make([]string, min(n, int(native.Uint32(b[8:]))))
	for i := range names {
		names[i] = text(b[12+i*stringLen:][:stringLen])
	}
	return names, nil
}

// features reads which of n features are on (ETHTOOL_GFEATURES).
func (e *ethtool) features(n int) (on func(bit int) bool, err error) {
	// struct ethtool_gfeatures: cmd, size, and per 32 features a struct
	// ethtool_get_features_block: available, requested, active, never_changed.
	const block = 16
	blocks := (n + 31) / 32
	b := make([]byte, 8+blocks*block)
	native.PutUint32(b, unix.ETHTOOL_GFEATURES)
	native.PutUint32(b[4:], uint32(blocks))
	if err := e.do(b); err != nil {
		return nil, err
	}
	return func(bit int) bool {
		return native.Uint32(b[8+bit/32*block+8:])>>(bit%32)&1 == 1
	}, nil
}

// ring reads rx_pending and rx_max_pending (struct ethtool_ringparam); 0 if the
// driver does not say.
func (e *ethtool) ring() (set, most uint32) {
	b := make([]byte, 36)
	native.PutUint32(b, unix.ETHTOOL_GRINGPARAM)
	if e.do(b) != nil {
		return 0, 0
	}
	return native.Uint32(b[20:]), native.Uint32(b[4:])
}
