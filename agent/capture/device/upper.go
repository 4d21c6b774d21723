package device

// Uppers names the devices that only repeat what a captured one shows, by
// index, so that under "any" each packet counts once:
//
//   - vlan, macvlan, macvtap, ipvlan and ipvtap on a device that is seen;
//   - bond, team, bridge, vrf and hsr whose members are all seen, if there are
//     members: one that is not seen would show nowhere else;
//   - the member of a master without a kind. That is the virtual function below
//     a netvsc or net_failover device: every frame of the member passes the
//     master, but not the other way round.
//
// A device is seen when it is captured or only repeats what is seen, so a vlan
// on a bridge on a bond on eth0 repeats eth0. Tunnels, macsec and wireguard
// show inside what the lower device shows wrapped, veth shows what no other
// device need show: they are never named. captured says which devices would be
// captured if nothing were repeated; it is asked for each at least once.
func Uppers(list []Device, captured func(index int) bool) map[int]bool {
	u := uppers{at: make(map[int]int, len(list)), members: make(map[int][]int), captured: captured}
	u.state = make([]verdict, len(list))
	u.list = list
	for i, d := range list {
		u.at[d.Index] = i
		if d.Master != 0 {
			u.members[d.Master] = append(u.members[d.Master], d.Index)
		}
	}
	repeats := make(map[int]bool)
	for i, d := range list {
		if u.repeats(i) {
			repeats[d.Index] = true
		}
	}
	return repeats
}

type verdict uint8

const (
	unknown verdict = iota
	own
	repeating
)

type uppers struct {
	list     []Device
	at       map[int]int   // index -> position in list
	members  map[int][]int // index of a master -> indexes of its members
	state    []verdict
	captured func(int) bool
}

func (u *uppers) repeats(i int) bool {
	if u.state[i] == unknown {
		u.state[i] = own // until it is worked out: a circle, which no kernel builds, ends here
		if u.judge(u.list[i]) {
			u.state[i] = repeating
		}
	}
	return u.state[i] == repeating
}

func (u *uppers) judge(d Device) bool {
	switch d.Kind {
	case "vlan", "macvlan", "macvtap", "ipvlan", "ipvtap":
		return u.seen(d.Lower)
	case "bond", "team", "bridge", "vrf":
		return u.allSeen(u.members[d.Index])
	case "hsr":
		return u.allSeen(d.Ports)
	}
	if i, ok := u.at[d.Master]; ok && u.list[i].Kind == "" {
		return u.seen(d.Master)
	}
	return false
}

func (u *uppers) allSeen(indexes []int) bool {
	for _, index := range indexes {
		if !u.seen(index) {
			return false
		}
	}
	return len(indexes) > 0
}

func (u *uppers) seen(index int) bool {
	i, ok := u.at[index]
	return ok && (u.captured(index) || u.repeats(i))
}
