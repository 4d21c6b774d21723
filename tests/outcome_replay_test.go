package tests

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	. "trailhound/tests/corpus"
)

// TestOutcomeReplay has the program itself read a capture, with all defaults: of
// a file every event carries its outcome, of a stream a follow-up behind it does.
func TestOutcomeReplay(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program; not with -short")
	}
	dir := t.TempDir()
	program := filepath.Join(dir, "trailhound")
	build := exec.Command("go", "build", "-o", program, "./cmd/trailhound")
	build.Dir, build.Env = moduleRoot(t), append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const bad, silent, scanner, other = "66.66.66.66", "66.66.66.67", "66.66.66.68", "93.184.216.34"
	trails := file("trails.csv", bad+",bad (malware),(static)\n"+silent+",silent (malware),(static)\n"+scanner+",mass scanner,(static)\nevil.example,evil (malware),(static)\n")
	ask := Query(Ask("evil.example"))
	// The address is refused, the name is not there, nobody answers the second
	// address, and a request of an attack is answered with a status.
	frames := []Stamped{
		At(0, eth(client, other, Syn(50100, 443))), At(0, eth(other, client, TCP(443, 50100, SYN|ACK, ""))),
		At(1, eth(client, bad, Syn(50001, 80))), At(2, eth(bad, client, TCP(80, 50001, RST|ACK, ""))),
		At(3, eth(client, resolver, UDP(50002, 53, ask))), At(4, eth(resolver, client, UDP(53, 50002, Reply(3, ask)))),
		At(5, eth(client, silent, Syn(50003, 80))),
		At(6, eth(scanner, client, Syn(50004, 22))), At(6, eth(client, scanner, TCP(22, 50004, RST|ACK, ""))),
		At(7, eth(other, client, Data(50005, 80, Get("www.example.org", "/?id=1%27%20UNION%20SELECT%20password%20FROM%20users--")))),
		At(8, eth(client, other, Data(80, 50005, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"))),
		At(90, eth(client, other, Data(50100, 443, "later"))),
	}
	capture := file("a.pcap", string(Pcap(frames)))
	run := func(stdin []byte, args ...string) (rows []map[string]string, out, errs string) {
		t.Helper()
		var said bytes.Buffer
		cmd := exec.Command(program, append([]string{"replay", "--trails", trails, "--whitelist", "none", "--set", "state=" + dir, "--set", "sensor.name=s"}, args...)...)
		cmd.Stdin, cmd.Stderr = bytes.NewReader(stdin), &said
		text, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v: %v\n%s", args, err, said.String())
		}
		if all, err := csv.NewReader(bytes.NewReader(text)).ReadAll(); err == nil && len(all) > 0 && all[0][0] == "time" {
			for _, r := range all[1:] {
				row := make(map[string]string)
				for i, name := range all[0] {
					row[name] = r[i]
				}
				rows = append(rows, row)
			}
		}
		return rows, string(text), said.String()
	}
	tell := func(rows []map[string]string) (told []string) {
		for _, r := range rows {
			told = append(told, strings.TrimSuffix(fmt.Sprintf("%s %s x%s %s", r["code"], r["src_ip"], r["count"], r["outcome"]), " "))
		}
		return told
	}
	expect := func(what string, got, want []string) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("%s:\n%s\nwant\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	held := []string{"trail.ip " + client + " x1 refused", "trail.dns " + client + " x1 refused", "trail.ip " + client + " x1 attempted", "trail.ip 66.66.66.68 x1", "http.sqli 93.184.216.34 x1 answered"}
	// Low severity is not followed up, nor is what nobody answered from outside.
	streamed := []string{"trail.ip " + client + " x1", "trail.dns " + client + " x1", "trail.ip " + client + " x1", "trail.ip 66.66.66.68 x1", "http.sqli 93.184.216.34 x1",
		"trail.ip " + client + " x0 refused", "trail.dns " + client + " x0 refused", "trail.ip " + client + " x0 attempted", "http.sqli 93.184.216.34 x0 answered"}
	data, err := os.ReadFile(capture)
	if err != nil {
		t.Fatal(err)
	}
	_, first, errs := run(nil, "--format", "csv", capture)
	for _, want := range []string{"0 folded into 0 summaries, 5 shown\n", "outcomes  1 answered, 2 refused, 1 attempted, 0 unknown\n"} {
		if !strings.Contains(errs, want) {
			t.Errorf("the summary does not have %q:\n%s", want, errs)
		}
	}
	for _, workers := range []string{"1", "2", "4", "8"} {
		rows, text, _ := run(nil, "--format", "csv", "--set", "capture.workers="+workers, capture)
		if expect(workers+" workers", tell(rows), held); text != first {
			t.Errorf("%s workers: another text", workers)
		}
	}
	rows, _, errs := run(data, "--format", "csv", "-")
	expect("a stream", tell(rows), streamed)
	if !strings.Contains(errs, "0 folded into 0 summaries, 4 follow-ups, 9 shown\n") {
		t.Errorf("%s", errs)
	}
	for i, of := range []int{0, 1, 2, 4} {
		if r := rows[5+i]; r["aggregate_id"] != rows[of]["event_id"] || r["summary"] != "true" || r["event_id"] == rows[of]["event_id"] || r["time"] != rows[of]["time"] {
			t.Errorf("follow-up %v of %v", r, rows[of])
		}
	}
	rows, _, _ = run(data, "--format", "csv", "--set", "suppress.follow_ups=none", "-")
	expect("no follow-ups", tell(rows), streamed[:5])
	rows, _, _ = run(nil, "--format", "csv", "--set", "suppress.outcomes=false", capture)
	expect("switched off", tell(rows), streamed[:5])
	rows, _, _ = run(nil, "--format", "csv", "--every", capture)
	expect("every event", tell(rows), []string{held[0], held[1], held[2], "trail.ip 66.66.66.68 x1 refused", held[4]})
	rows, _, _ = run(nil, "--format", "csv-all", capture)
	if len(rows) != 5 || rows[1]["dns_rcode"] != "NXDOMAIN" || rows[1]["outcome"] != "refused" {
		t.Errorf("csv-all: %v", rows)
	}

	// The other formats.
	_, text, _ := run(nil, "--format", "json", capture)
	var docs []map[string]any
	for _, l := range strings.Split(strings.TrimSpace(text), "\n") {
		var doc map[string]any
		if err := json.Unmarshal([]byte(l), &doc); err != nil {
			t.Fatal(err)
		}
		docs = append(docs, doc)
	}
	for i, want := range [][2]any{{"refused", "failure"}, {"refused", "failure"}, {"attempted", "unknown"}, {nil, nil}, {"answered", nil}} {
		own, ecs := docs[i]["trailhound"].(map[string]any)["outcome"], docs[i]["event"].(map[string]any)["outcome"]
		if own != want[0] || ecs != want[1] {
			t.Errorf("ECS %d: %v and event.outcome %v, want %v", i, own, ecs, want)
		}
	}
	if status := docs[4]["http"].(map[string]any)["response"].(map[string]any)["status_code"]; status != 404. {
		t.Errorf("the status is %v", status)
	}
	_, text, _ = run(nil, "--format", "cef", capture)
	for i, l := range strings.Split(strings.TrimSpace(text), "\n") {
		want := [][2]string{{" outcome=failure ", " trailhoundOutcome=refused "}, {" outcome=failure ", " trailhoundOutcome=refused "},
			{" outcome=unknown ", " trailhoundOutcome=attempted "}, {"", ""}, {"", " trailhoundOutcome=answered "}}[i]
		if !strings.Contains(l, want[0]) || !strings.Contains(l, want[1]) || want[0] == "" && strings.Contains(l, " outcome=") || want[1] == "" && strings.Contains(l, "trailhoundOutcome=") {
			t.Errorf("CEF %d: %s", i, l)
		}
	}
	_, text, _ = run(data, "--format", "table", "-")
	if strings.Count(text, " x0: ") != 4 || !strings.Contains(text, "silent (malware) x0: attempted") {
		t.Errorf("%s", text)
	}
	_, text, _ = run(data, "--format", "maltrail", "-")
	if strings.Count(text, "\n") != 5 {
		t.Errorf("the reference would count follow-ups:\n%s", text)
	}
}
