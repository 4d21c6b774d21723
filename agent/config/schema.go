package config

import (
	"net/netip"
	"time"
)

// Sensor names the sensor.
type Sensor struct {
	Name   string            `key:"name" default:"" take:"reload" check:"name" maltrail:"SENSOR_NAME" doc:"name of this sensor in every event; empty: the host name"`
	Labels map[string]string `key:"labels" default:"{}" take:"reload" doc:"free labels added to every event, such as site or tenant"`
}

// Capture says where frames come from.
type Capture struct {
	Interfaces   []Interface `key:"interfaces" default:"[any]" take:"reload" maltrail:"MONITOR_INTERFACE" doc:"interfaces to capture on: a name, a glob, or a map with the keys below; any is every interface"`
	Workers      Workers     `key:"workers" default:"auto" take:"restart" maltrail:"CAPTURE_WORKERS CAPTURE_FANOUT PROCESS_COUNT" doc:"workers per group of interfaces; auto: one per processor, at most 4"`
	RingTotal    Size        `key:"ring_total" default:"256MiB" take:"restart" min:"1MiB" max:"64GiB" maltrail:"CAPTURE_BUFFER" doc:"memory of all capture rings together"`
	Snaplen      Size        `key:"snaplen" default:"66KiB" take:"reload" min:"68" max:"256KiB" maltrail:"CAPTURE_SNAPLEN" doc:"bytes kept of each frame"`
	Filter       string      `key:"filter" default:"" take:"reload" maltrail:"CAPTURE_FILTER" doc:"pcap-filter expression: frames that do not match are never seen; empty: all frames"`
	Silence      Silence     `key:"silence" default:"5m" take:"reload" doc:"raise health.capture.silent after this long without a frame: a duration, off, or a map such as {default: 5m, eth3: 12h, eth4: off}"`
	SpareSockets int         `key:"spare_sockets" default:"16" take:"restart" min:"0" max:"1024" doc:"sockets opened in advance for interfaces that appear after the capabilities are gone"`
}

// Trails says which indicators there are.
type Trails struct {
	Table            string        `key:"table" default:"" take:"reload" check:"path?" maltrail:"TRAILS_FILE" doc:"compiled trail table; empty: trails.thd in the state directory, else the starter set"`
	Whitelist        []string      `key:"whitelist" default:"[]" take:"reload" check:"path" maltrail:"USER_WHITELIST" doc:"whitelist files, added to the built-in one"`
	BuiltinWhitelist bool          `key:"builtin_whitelist" default:"true" take:"reload" doc:"use the built-in whitelist"`
	MinRatio         float64       `key:"min_ratio" default:"0.5" take:"reload" min:"0" max:"1" maltrail:"TRAIL_RELOAD_MIN_RATIO ALLOW_EMPTY_TRAILS" doc:"a new table smaller than this share of the present one is refused; 0: never"`
	MaxAge           time.Duration `key:"max_age" default:"72h" take:"reload" doc:"trails older than this raise health.trails.stale and make the sensor not ready; 0: never"`
	Update           Update        `key:"update" doc:"fetching new trails"`
	Sources          []Source      `key:"sources" default:"[]" take:"reload" maltrail:"USE_FEED_UPDATES DISABLED_FEEDS CUSTOM_TRAILS_DIR CUSTOM_TRAILS_URL IP_MINIMUM_FEEDS DISABLED_TRAILS_INFO_REGEX" doc:"catalogue entries switched on or off by name, and sources of one's own"`
}

// Update says how trails are kept fresh.
type Update struct {
	Every time.Duration `key:"every" default:"24h" take:"reload" min:"1m" zero:"never" maltrail:"UPDATE_PERIOD DISABLE_TRAIL_UPDATES" doc:"time between updates; 0: never"`
	From  Secret        `key:"from" default:"" take:"reload" maltrail:"UPDATE_SERVER" doc:"URL or path of a signed bundle; empty: fetch the sources and build here"`
}

// Detection says what is looked for. Codes are those of docs/detections.md.
type Detection struct {
	Heuristics   bool                      `key:"heuristics" default:"true" take:"reload" maltrail:"USE_HEURISTICS" doc:"look for suspicious behaviour, not only for trails"`
	Disable      []string                  `key:"disable" default:"[]" take:"reload" maltrail:"DISABLED_HEURISTICS" doc:"codes that are never raised, such as scan.web"`
	HomeNetworks map[string][]netip.Prefix `key:"home_networks" default:"{private: [10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 100.64.0.0/10, 169.254.0.0/16, fc00::/7, fe80::/10]}" take:"reload" doc:"one's own networks by name (letters, digits, - and _; sensor is taken); they decide the direction of an event. A network is in one group: that of the later file, and of any file before the default"`
	Roles        Roles                     `key:"roles" doc:"hosts and networks that trip some detections by nature; those are muted for them"`
	HostDomains  bool                      `key:"host_domains" default:"true" take:"reload" maltrail:"CHECK_HOST_DOMAINS" doc:"check the HTTP Host header as a domain"`
	MissingHost  bool                      `key:"missing_host" default:"false" take:"reload" maltrail:"CHECK_MISSING_HOST" doc:"report HTTP requests without a Host header"`
	Thresholds   map[string]float64        `key:"thresholds" default:"{}" take:"reload" doc:"threshold by code, such as scan.port: 20; those not given are the reference's"`
	Windows      map[string]time.Duration  `key:"windows" default:"{}" take:"reload" maltrail:"SCAN_WINDOW" doc:"time in which a heuristic counts, by code, such as scan.port: 60s (1s to 1h for scan.*, to 24h for dns.*); those not given are the reference's"`
	Memory       Size                      `key:"memory" default:"64MiB" take:"reload" min:"1MiB" max:"16GiB" doc:"most memory of the heuristics over time; what has to give way is counted"`
}

// Roles names the hosts of each role by address or network.
type Roles struct {
	Resolver []netip.Prefix `key:"resolver" default:"[]" take:"reload" doc:"DNS resolvers"`
	Scanner  []netip.Prefix `key:"scanner" default:"[]" take:"reload" doc:"vulnerability scanners and monitoring hosts"`
	Proxy    []netip.Prefix `key:"proxy" default:"[]" take:"reload" doc:"web proxies"`
	Mail     []netip.Prefix `key:"mail" default:"[]" take:"reload" doc:"mail servers"`
	NAT      []netip.Prefix `key:"nat" default:"[]" take:"reload" doc:"addresses that many hosts stand behind"`
}

// Retro bounds the memory of names and addresses seen lately.
type Retro struct {
	Memory  Size `key:"memory" default:"16MiB" take:"restart" max:"16GiB" doc:"memory for names and addresses seen lately, asked when new trails arrive; 0: off"`
	Persist bool `key:"persist" default:"false" take:"restart" doc:"keep that memory in the state directory over restarts"`
}

// Event says what events carry.
type Event struct {
	Redact bool `key:"redact" default:"true" take:"reload" doc:"mask the values of pass*, token, secret, session, authorization, cookie and api_key in what events quote"`
}

// Suppress says what is held back.
type Suppress struct {
	Rules       []Rule        `key:"rules" default:"[]" take:"reload" doc:"suppression rules by name; what they hold back is counted"`
	Files       []string      `key:"files" default:"[]" take:"reload" check:"path" doc:"files of further rules, read again on each reload; one file serves a fleet"`
	Ignore      []string      `key:"ignore" default:"[]" take:"reload" check:"path" maltrail:"USER_IGNORELIST" doc:"ignore lists of the reference: src_ip;src_port;dst_ip;dst_port a line; they must exist"`
	IgnoreRegex string        `key:"ignore_regex" default:"" take:"reload" maltrail:"IGNORE_EVENTS_REGEX" doc:"expression of the reference over the text of a whole event; what it finds is ignored; empty: none"`
	Aggregate   time.Duration `key:"aggregate" default:"60s" take:"reload" max:"1h" maltrail:"EVENT_THROTTLE_MODE EVENT_THROTTLE_WINDOW EVENT_THROTTLE_BURST" doc:"window in which repeats of an event become one summary; 0s: every event by itself"`
	Outcomes    bool          `key:"outcomes" default:"true" take:"reload" doc:"say of detections whether they got through: answered, refused, attempted or unknown; summaries carry it, and what does not repeat gets one follow-up of count 0"`
	FollowUps   string        `key:"follow_ups" default:"medium" take:"reload" oneof:"low medium high none" doc:"least severity of detections that get a follow-up; inbound ones only when they were answered"`
	Inbound     time.Duration `key:"inbound" default:"1h" take:"reload" max:"1h" doc:"window in which inbound events of low severity become one summary per source and code; 0s: as other events; without effect when aggregate is 0s"`
}

// Journal bounds the durable event log.
type Journal struct {
	Path    string        `key:"path" default:"" take:"restart" check:"path?" doc:"directory of the journal; empty: journal in the state directory"`
	MaxSize AutoSize      `key:"max_size" default:"auto" take:"reload" min:"1MiB" doc:"most bytes on disk; auto: 1 GiB or 10 % of the file system, whichever is less"`
	MaxAge  time.Duration `key:"max_age" default:"168h" take:"reload" min:"1m" doc:"oldest events kept; also how long the cursor of a removed output is"`
	MinFree AutoSize      `key:"min_free" default:"auto" take:"reload" doc:"free space to leave on the file system; auto: 1 GiB or 5 % of it, whichever is less"`
	Fsync   Fsync         `key:"fsync" default:"1s" take:"reload" doc:"when events are forced to disk: always (before an event counts as taken), a duration, or never (the kernel decides)"`
}

// Health says how the sensor reports on itself.
type Health struct {
	Heartbeat time.Duration `key:"heartbeat" default:"5m" take:"reload" min:"1s" zero:"off" doc:"time between heartbeats; 0: none"`
	Canary    time.Duration `key:"canary" default:"1h" take:"reload" min:"1m" zero:"off" doc:"time between test detections that go the whole way; 0: none"`
}

// Status is the status endpoint.
type Status struct {
	Listen string `key:"listen" default:"127.0.0.1:8339" take:"restart" check:"listen?" maltrail:"STATS_ADDRESS" doc:"address and port, or unix:PATH of a socket, of health, readiness, status JSON and metrics; empty: no endpoint"`
}

// Log is the program's own log.
type Log struct {
	Level  string `key:"level" default:"info" take:"reload" oneof:"debug info warn error" doc:"least severity that is logged"`
	Format string `key:"format" default:"auto" take:"restart" oneof:"auto text json" doc:"auto: text on a terminal, else JSON"`
}
