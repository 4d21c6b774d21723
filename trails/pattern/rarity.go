package pattern

// background is what sensors see all day. Literals are looked for at the three
// bytes that are rarest in it.
var background = [...]string{
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/117.0.0.0 Safari/537.36",
	"Mozilla/5.0 (Windows NT 10.0; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/96.0.4664.110 Safari/537.36 Edg/96.0.1054.62",
	"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1 Safari/605.1.15",
	"Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/118.0",
	"Mozilla/5.0 (Windows NT 6.1; Win64; x64; rv:102.0) Gecko/20100101 Firefox/102.0",
	"Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko",
	"Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; Trident/4.0; .NET CLR 2.0.50727; .NET4.0C; .NET4.0E)",
	"Mozilla/5.0 (iPhone; CPU iPhone OS 17_0_3 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Mobile/15E148 Safari/604.1",
	"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/118.0.0.0 Mobile Safari/537.36",
	"Mozilla/5.0 (Linux; Android 13; SM-G991B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/22.0 Chrome/111.0.5563.116 Mobile Safari/537.36",
	"Opera/9.80 (Windows NT 6.1; WOW64) Presto/2.12.388 Version/12.18",
	"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/117.0.0.0 Safari/537.36 OPR/103.0.0.0",
	"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
	"Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
	"Microsoft-CryptoAPI/10.0", "Windows-Update-Agent/10.0.10011.16384 Client-Protocol/2.40", "Microsoft-Delivery-Optimization/10.0",
	"Microsoft BITS/7.8", "Microsoft NCSI", "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.14326; Pro)",
	"Debian APT-HTTP/1.3 (2.4.10)", "curl/7.88.1", "Wget/1.21.2", "python-requests/2.31.0", "Go-http-client/1.1", "okhttp/4.11.0",
	"Dalvik/2.1.0 (Linux; U; Android 12; Pixel 6 Build/SD1A.210817.036)", "CFNetwork/1410.0.3 Darwin/22.6.0", "Java/1.8.0_381",
	"com.apple.trustd/2.2", "Apache-HttpClient/4.5.13 (Java/11.0.20)", "VLC/3.0.18 LibVLC/3.0.18", "Spotify/8.8.66 iOS/17.0",
	"www.example.com", "static.cdn.example.net", "api.login.mail.example.org", "update.images.example.co.uk", "example.info",
	"example.top", "example.xyz", "example.club", "example.ru", "example.de", "example.io", "example.me", "example.biz",
	"events.data.telemetry.example.com", "safebrowsing.clients.example.com", "e1234.dscd.akamai.example.net", "ns1.mx2.smtp.imap",
	"0123456789", "d1a2b3c4e5f6.cloudfront.example.net", "1.0.168.192.in-addr.arpa", "time.ntp.pool.example.org", "wpad.local.lan",
}

// A rarity knows how often three bytes were met, in the background and in the
// literals taken so far. Counts are by hash: a collision costs a little speed.
type rarity struct {
	count [1 << 14]uint16
	pair  [1 << 13]uint16
	bytes [256]uint16 // in lower case
}

func newRarity() *rarity {
	r := &rarity{}
	for _, text := range background {
		for i := 0; i < len(text); i++ {
			r.bytes[lower(text[i])]++
		}
		for i := 0; i+1 < len(text); i++ {
			r.pair[pairSlot(text[i], text[i+1])]++
			if i+2 < len(text) {
				r.count[trigramSlot(trigram(text[i], text[i+1], text[i+2]))] += backgroundWeight
			}
		}
	}
	return r
}

const (
	backgroundWeight = 64   // one text of the background against one literal in the same window
	shortWindow      = 1024 // a text of two bytes fills 128 windows
)

func pairSlot(a, b byte) uint32 {
	return (uint32(a|0x20) | uint32(b|0x20)<<8) * 2654435761 >> (32 - 13)
}

func trigramSlot(t uint32) uint32 { return t * hashFactor >> (32 - 14) }

// window says at which three bytes a text is looked for best, and the cost.
// Texts of one byte cannot be looked for.
func (r *rarity) window(text string) (at, cost int) {
	if len(text) == 2 {
		return 0, shortWindow + int(r.pair[pairSlot(text[0], text[1])])*backgroundWeight*2
	}
	cost = unusable
	for i := 0; i+2 < len(text); i++ {
		c := int(r.count[trigramSlot(trigram(text[i], text[i+1], text[i+2]))])*16 +
			int(r.pair[pairSlot(text[i], text[i+1])]) + int(r.pair[pairSlot(text[i+1], text[i+2])])
		if c < cost {
			at, cost = i, c
		}
	}
	return at, cost
}

// use counts a window that was taken, so that others stay away from it.
func (r *rarity) use(t uint32) {
	if n := &r.count[trigramSlot(t)]; *n < 1<<15 {
		*n++
	}
}
