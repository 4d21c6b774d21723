package suppress

import "time"

// Actions of a rule, the strongest first.
const (
	Drop  = "drop"  // the event is counted and nothing else
	Local = "local" // journal and local files only
	Lower = "lower" // one severity lower, or down to the rule's To
)

// Rule is one suppression rule as it is written: what it holds for, until when,
// and what then happens to an event. All values are text, so that a rule can be
// shown, compared and reported as its author wrote it; Compile reads them.
//
// A field with several values holds when one of them does; several fields hold
// when all of them do. A value that begins with "!" must not hold.
type Rule struct {
	ID string `key:"-"` // the entry's name
	At string `key:"-"` // where it is written, for problems; no part of its content

	Reason   string    `key:"reason" take:"reload" required:"yes" doc:"why the rule is there"`
	Owner    string    `key:"owner" take:"reload" doc:"who answers for it"`
	Created  string    `key:"created" take:"reload" doc:"the day it was written, such as 2026-02-16"`
	Expires  string    `key:"expires" take:"reload" doc:"the last day it applies (UTC), such as 2026-05-17, or a time after RFC 3339; empty: it does not expire"`
	Sensors  []string  `key:"sensors" take:"reload" doc:"names or ids of the sensors it is for, or globs of them; empty: all"`
	Schedule *Schedule `key:"schedule" take:"reload" doc:"when it applies; empty: always"`
	Action   string    `key:"action" take:"reload" required:"yes" oneof:"drop local lower" doc:"drop: gone, but counted; local: journal and csv only; lower: a lower severity"`
	To       string    `key:"to" take:"reload" oneof:"low medium" doc:"with lower: the severity it is lowered to; empty: by one step"`

	Source          []string `key:"source" take:"reload" doc:"source addresses or networks, or names of home networks"`
	Destination     []string `key:"destination" take:"reload" doc:"the same of the destination"`
	Network         []string `key:"network" take:"reload" doc:"the same of either side"`
	Port            []string `key:"port" take:"reload" doc:"ports or ranges such as 1000-2000, of either side"`
	SourcePort      []string `key:"source_port" take:"reload" doc:"the same of the source"`
	DestinationPort []string `key:"destination_port" take:"reload" doc:"the same of the destination"`
	Trail           []string `key:"trail" take:"reload" doc:"trails as displayed, or indicators, or globs of them; *.example.com: names below it"`
	Info            []string `key:"info" take:"reload" doc:"infos or globs"`
	Reference       []string `key:"reference" take:"reload" doc:"references or globs, such as (static)"`
	Type            []string `key:"type" take:"reload" doc:"types, such as DNS"`
	Code            []string `key:"code" take:"reload" doc:"codes or globs, such as scan.*"`
	Interface       []string `key:"interface" take:"reload" doc:"capture interfaces by name or alias, or globs"`
	VLAN            []string `key:"vlan" take:"reload" doc:"VLAN ids or ranges; any tag of the packet"`
	Label           []string `key:"label" take:"reload" doc:"labels of the sensor, such as site=berlin"`
}

// Schedule is a window of the week, such as one for maintenance.
type Schedule struct {
	Days []string `key:"days" take:"reload" doc:"the days on which the window begins: mon to sun, or spans such as mon-fri; empty: every day"`
	From string   `key:"from" take:"reload" doc:"when it begins, such as 22:00; empty: 00:00"`
	To   string   `key:"to" take:"reload" doc:"when it ends; not after from: on the next day; empty: 24:00"`
	Zone string   `key:"zone" take:"reload" doc:"time zone, such as Europe/Berlin; empty: that of the sensor's machine"`
}

// field is what of an event a value is compared with.
type field uint8

const (
	fieldSource field = iota
	fieldDestination
	fieldNetwork
	fieldPort
	fieldSourcePort
	fieldDestinationPort
	fieldTrail
	fieldInfo
	fieldReference
	fieldType
	fieldCode
	fieldInterface
	fieldVLAN
	fieldLabel
	numFields
)

// String gives the field's key.
func (f field) String() string {
	return [numFields]string{"source", "destination", "network", "port", "source_port", "destination_port", "trail", "info",
		"reference", "type", "code", "interface", "vlan", "label"}[f]
}

// values are those of a field.
func (r *Rule) values(f field) *[]string {
	return [numFields]*[]string{&r.Source, &r.Destination, &r.Network, &r.Port, &r.SourcePort, &r.DestinationPort, &r.Trail, &r.Info,
		&r.Reference, &r.Type, &r.Code, &r.Interface, &r.VLAN, &r.Label}[f]
}

// texts are the keys with one value, in the order in which they are written.
func (r *Rule) texts() []namedText {
	return []namedText{{"reason", &r.Reason}, {"owner", &r.Owner}, {"created", &r.Created}, {"expires", &r.Expires}, {"action", &r.Action}, {"to", &r.To}}
}

func (s *Schedule) texts() []namedText {
	return []namedText{{"from", &s.From}, {"to", &s.To}, {"zone", &s.Zone}}
}

type namedText struct {
	key   string
	value *string
}

// until reads Expires: the first moment at which the rule no longer applies.
// The zero time is never.
func (r *Rule) until() (time.Time, error) {
	t, day, err := readTime(r.Expires)
	if day {
		t = t.AddDate(0, 0, 1)
	}
	return t, err
}
