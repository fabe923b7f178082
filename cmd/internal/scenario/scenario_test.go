package scenario_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/varvehq/varve/cmd/internal/scenario"
)

// A line is what the importer takes, and all it takes.
type line struct {
	Time             time.Time                  `json:"time"`
	Provider         string                     `json:"provider"`
	Account          string                     `json:"account"`
	Region           string                     `json:"region"`
	Type             string                     `json:"type"`
	ID               string                     `json:"id"`
	Name             string                     `json:"name"`
	ARN              string                     `json:"arn"`
	AvailabilityZone string                     `json:"availabilityZone"`
	CreatedAt        *time.Time                 `json:"createdAt"`
	Tags             map[string]string          `json:"tags"`
	Configuration    json.RawMessage            `json:"configuration"`
	Supplementary    map[string]json.RawMessage `json:"supplementary"`
	Relationships    []relationship             `json:"relationships"`
	Cause            *cause                     `json:"cause"`
	Deleted          bool                       `json:"deleted"`
	Source           string                     `json:"source"`

	text string
}

type relationship struct{ Name, Type, ID string }

type cause struct{ Actor, EventID, SourceIP string }

// A key is a resource's identity.
type key struct{ account, region, kind, id string }

func (l line) key() key { return key{l.Account, l.Region, l.Type, l.ID} }

func parse(t *testing.T, text []byte) []line {
	t.Helper()
	if !bytes.HasSuffix(text, []byte("\n")) {
		t.Fatal("the last line has no end")
	}
	var out []line
	for n, row := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		dec := json.NewDecoder(strings.NewReader(row))
		dec.DisallowUnknownFields()
		l := line{text: row}
		if err := dec.Decode(&l); err != nil {
			t.Fatalf("line %d: %v\n%s", n+1, err, row)
		}
		out = append(out, l)
	}
	return out
}

func moment(t *testing.T, text string) time.Time {
	t.Helper()
	out, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// alive is the state of everything at a moment, its own lines included.
func alive(lines []line, at time.Time) map[key]line {
	state := map[key]line{}
	for _, l := range lines {
		if l.Time.After(at) {
			break
		}
		if l.Deleted {
			delete(state, l.key())
		} else {
			state[l.key()] = l
		}
	}
	return state
}

func TestForm(t *testing.T) {
	lines := parse(t, scenario.Lines())
	if n := len(lines); n < 300 || n > 600 {
		t.Errorf("%d lines, want 300 to 600", n)
	}
	start, end := moment(t, scenario.Start), moment(t, scenario.End)
	uuid := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

	for _, l := range append(lines, parse(t, scenario.Late())...) {
		for member, value := range map[string]string{
			"account": l.Account, "type": l.Type, "id": l.ID, "name": l.Name, "source": l.Source,
		} {
			if value == "" {
				t.Errorf("no %s: %s", member, l.text)
			}
		}
		if l.Time.Before(start) || l.Time.After(end) {
			t.Errorf("outside the ninety days: %s", l.text)
		}
		switch l.Provider {
		case "aws":
			if !strings.HasPrefix(l.Type, "AWS::") || l.Region == "" || !strings.HasPrefix(l.ARN, "arn:aws:") {
				t.Errorf("not of AWS: %s", l.text)
			}
		case "kubernetes":
			if !strings.HasPrefix(l.Type, "Kubernetes::") || l.Account != scenario.Cluster || l.Region != "" || l.ARN != "" || !strings.Contains(l.ID, "/") {
				t.Errorf("not of Kubernetes: %s", l.text)
			}
		default:
			t.Errorf("provider %q: %s", l.Provider, l.text)
		}
		if c := l.Cause; c != nil && (c.Actor == "" || c.SourceIP == "" || !uuid.MatchString(c.EventID)) {
			t.Errorf("half a cause: %s", l.text)
		}
		if l.Deleted != (string(l.Configuration) == "null") {
			t.Errorf("deleted and its configuration disagree: %s", l.text)
		}
		if l.Deleted && (l.Tags != nil || l.Supplementary != nil || l.Relationships != nil) {
			t.Errorf("deleted, yet with a state: %s", l.text)
		}
		if !l.Deleted && l.Configuration[0] != '{' {
			t.Errorf("configuration is no object: %s", l.text)
		}
		if l.CreatedAt != nil && l.CreatedAt.After(l.Time) {
			t.Errorf("captured before it was created: %s", l.text)
		}
	}
}

func TestOrder(t *testing.T) {
	for name, text := range map[string][]byte{"Lines": scenario.Lines(), "Late": scenario.Late()} {
		lines := parse(t, text)
		seen := map[string]bool{}
		for i, l := range lines {
			place := fmt.Sprintf("%s %s %s %s", l.Time.Format(time.RFC3339), l.Account, l.Type, l.ID)
			if seen[place] {
				t.Errorf("%s: twice: %s", name, place)
			}
			seen[place] = true
			if i > 0 && before(l, lines[i-1]) {
				t.Errorf("%s: line %d stands too late: %s", name, i+1, place)
			}
		}
	}
}

func before(a, b line) bool {
	if !a.Time.Equal(b.Time) {
		return a.Time.Before(b.Time)
	}
	return slices.Compare([]string{a.Account, a.Type, a.ID}, []string{b.Account, b.Type, b.ID}) < 0
}

func TestDeterministic(t *testing.T) {
	if !bytes.Equal(scenario.Lines(), scenario.Lines()) {
		t.Error("two calls of Lines differ")
	}
	if !bytes.Equal(scenario.Late(), scenario.Late()) {
		t.Error("two calls of Late differ")
	}
}

// TestEveryLineIsAChange wants each line to differ from the one before it of
// the same resource in more than its cause, and ends to be ends of something.
func TestEveryLineIsAChange(t *testing.T) {
	lines := append(parse(t, scenario.Lines()), parse(t, scenario.Late())...)
	slices.SortStableFunc(lines, func(a, b line) int { return a.Time.Compare(b.Time) })

	state := map[key]string{}
	for _, l := range lines {
		last, known := state[l.key()]
		if l.Deleted {
			if !known {
				t.Errorf("deleted, but was not there: %s", l.text)
			}
			delete(state, l.key())
			continue
		}
		now := fmt.Sprint(l.Name, l.ARN, l.AvailabilityZone, l.CreatedAt, l.Tags,
			string(l.Configuration), text(l.Supplementary), l.Relationships)
		if now == last {
			t.Errorf("says nothing new: %s", l.text)
		}
		state[l.key()] = now
	}
}

func text(supplementary map[string]json.RawMessage) string {
	out, _ := json.Marshal(supplementary)
	return string(out)
}

func TestEstate(t *testing.T) {
	lines := parse(t, scenario.Lines())
	for _, at := range []string{scenario.Start, scenario.Saturday, scenario.End} {
		state := alive(lines, moment(t, at))
		if n := len(state); n < 45 || n > 75 {
			t.Errorf("%d resources at %s, want 45 to 75", n, at)
		}
		places := map[string]bool{}
		for k := range state {
			places[k.account+" "+k.region] = true
		}
		for _, want := range []string{
			scenario.Account + " " + scenario.Region,
			scenario.Account + " " + scenario.BackupRegion,
			scenario.Account + " " + scenario.GlobalRegion,
			scenario.LogAccount + " " + scenario.Region,
			scenario.Cluster + " ",
		} {
			if !places[want] {
				t.Errorf("nothing in %q at %s", want, at)
			}
		}
	}
}

// TestNumbers keeps out what a float would write.
func TestNumbers(t *testing.T) {
	for _, l := range parse(t, scenario.Lines()) {
		dec := json.NewDecoder(bytes.NewReader(l.Configuration))
		dec.UseNumber()
		for {
			token, err := dec.Token()
			if err != nil {
				break
			}
			if n, ok := token.(json.Number); ok && strings.ContainsAny(n.String(), ".eE") {
				t.Errorf("number %s in %s", n, l.text)
			}
		}
	}
}

// TestAddresses allows private addresses, the ones set aside for
// documentation, and everybody.
func TestAddresses(t *testing.T) {
	var allowed []netip.Prefix
	for _, prefix := range []string{
		"10.0.0.0/8", "172.20.0.0/16", "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "0.0.0.0/32",
	} {
		allowed = append(allowed, netip.MustParsePrefix(prefix))
	}
	address := regexp.MustCompile(`\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b`)
	for _, found := range address.FindAllString(string(scenario.Lines())+string(scenario.Late()), -1) {
		a, err := netip.ParseAddr(found)
		if err != nil || !slices.ContainsFunc(allowed, func(p netip.Prefix) bool { return p.Contains(a) }) {
			t.Errorf("address %s", found)
		}
	}
}

// TestTags wants every list of tags inside a document to say what the line's
// own tags say.
func TestTags(t *testing.T) {
	for _, l := range parse(t, scenario.Lines()) {
		if l.Deleted {
			continue
		}
		var d struct {
			Lower []struct{ Key, Value string } `json:"tags"`
			Meta  *struct {
				Labels map[string]string `json:"labels"`
			} `json:"metadata"`
		}
		if err := json.Unmarshal(l.Configuration, &d); err != nil {
			t.Fatal(err)
		}
		inside := map[string]string{}
		for _, tag := range d.Lower {
			inside[tag.Key] = tag.Value
		}
		if d.Meta != nil {
			inside = d.Meta.Labels
		}
		if text, ok := l.Supplementary["BucketTaggingConfiguration"]; ok {
			var b struct {
				TagSets []struct{ Tags map[string]string } `json:"tagSets"`
			}
			if err := json.Unmarshal(text, &b); err != nil {
				t.Fatal(err)
			}
			inside = b.TagSets[0].Tags
		}
		if d.Lower == nil && d.Meta == nil && l.Type != "AWS::S3::Bucket" {
			continue // the service's documents do not repeat them
		}
		if fmt.Sprint(inside) != fmt.Sprint(l.Tags) {
			t.Errorf("tags %v, but the document has %v: %s", l.Tags, inside, l.text)
		}
	}
}

// References as documents write them: identifiers, and ARNs of what this
// estate records.
var (
	identifier = regexp.MustCompile(`\b(?:vpc|subnet|sg|i|igw|nat|rtb|lt)-0[0-9a-f]{16}\b`)
	arn        = regexp.MustCompile(`arn:aws:(?:iam::\d{12}:(?:role|user|policy|instance-profile)/[a-z0-9-]+\b|` +
		`(?:kms|lambda|sqs|rds|acm|eks|elasticloadbalancing|cloudtrail):[a-z0-9-]+:\d{12}:[A-Za-z0-9:/_-]+|s3:::[a-z0-9-]+)`)
	recordedElsewhere = regexp.MustCompile(`role/aws-service-role|:targetgroup/|:function:$`)
)

func references(l line) []string {
	all := string(l.Configuration)
	for _, document := range l.Supplementary {
		all += string(document)
	}
	// IAM escapes its policy documents.
	if plain, err := url.PathUnescape(all); err == nil {
		all = plain
	}
	out := identifier.FindAllString(all, -1)
	for _, found := range arn.FindAllString(all, -1) {
		if !recordedElsewhere.MatchString(found) {
			out = append(out, found)
		}
	}
	return out
}

// TestReferences follows every reference at every moment at which anything
// changes: what a living resource names has to be alive as well.
func TestReferences(t *testing.T) {
	lines := parse(t, scenario.Lines())
	state := map[key]line{}
	named := map[key][]string{}
	for i, l := range lines {
		if l.Deleted {
			delete(state, l.key())
		} else {
			state[l.key()] = l
			named[l.key()] = references(l)
		}
		if i+1 < len(lines) && lines[i+1].Time.Equal(l.Time) {
			continue
		}

		there, bearers := map[string]bool{}, map[string]bool{}
		for k, r := range state {
			there[k.kind+" "+k.id] = true
			bearers[k.id], bearers[r.ARN] = true, true
		}
		for k, r := range state {
			for _, rel := range r.Relationships {
				if rel.Name == "" || !there[rel.Type+" "+rel.ID] {
					t.Errorf("at %s %s %q nothing: %+v", l.Time, k.id, rel.Name, rel)
				}
			}
			for _, name := range named[k] {
				if !bearers[name] {
					t.Errorf("at %s %s names %s, which is not there", l.Time, k.id, name)
				}
			}
		}
		if t.Failed() {
			return
		}
	}
}

// TestReferencesAreSeen guards the guard: the patterns have to find something.
func TestReferencesAreSeen(t *testing.T) {
	found := map[string]bool{}
	for _, l := range parse(t, scenario.Lines()) {
		for _, name := range references(l) {
			found[name] = true
		}
	}
	for _, want := range []string{
		scenario.SecurityGroup, scenario.Instance,
		"arn:aws:iam::" + scenario.Account + ":role/" + scenario.RoleName,
		"arn:aws:iam::" + scenario.Account + ":instance-profile/" + scenario.RoleName,
		"arn:aws:s3:::" + scenario.Bucket,
	} {
		if !found[want] {
			t.Errorf("nothing names %s", want)
		}
	}
}

// TestKubernetes follows the references which are names and labels.
func TestKubernetes(t *testing.T) {
	lines := parse(t, scenario.Lines())
	for _, l := range lines {
		if l.Provider != "kubernetes" || l.Deleted {
			continue
		}
		namespace, name, _ := strings.Cut(l.ID, "/")
		state := alive(lines, l.Time)
		has := func(kind, name string) bool {
			_, ok := state[key{l.Account, "", kind, namespace + "/" + name}]
			return ok
		}
		var d object
		if err := json.Unmarshal(l.Configuration, &d); err != nil {
			t.Fatal(err)
		}

		kind := l.Type[strings.LastIndex(l.Type, ":")+1:]
		if d.Kind != kind || d.Metadata.Name != name || (namespace != "-" && d.Metadata.Namespace != namespace) {
			t.Errorf("says it is %s %s/%s: %s", d.Kind, d.Metadata.Namespace, d.Metadata.Name, l.text)
		}
		switch kind {
		case "Deployment":
			var selector struct{ MatchLabels map[string]string }
			if err := json.Unmarshal(d.Spec.Selector, &selector); err != nil {
				t.Fatal(err)
			}
			if !subset(selector.MatchLabels, d.Spec.Template.Metadata.Labels) {
				t.Errorf("selects others' pods: %s", l.text)
			}
			for _, container := range d.Spec.Template.Spec.Containers {
				for _, from := range container.EnvFrom {
					if !has("Kubernetes::core::ConfigMap", from.ConfigMapRef.Name) {
						t.Errorf("no config map %s: %s", from.ConfigMapRef.Name, l.text)
					}
				}
			}
			account := d.Spec.Template.Spec.ServiceAccountName
			if account != "default" && !has("Kubernetes::core::ServiceAccount", account) {
				t.Errorf("no service account %s: %s", account, l.text)
			}
		case "HorizontalPodAutoscaler":
			if !has("Kubernetes::apps::Deployment", d.Spec.ScaleTargetRef.Name) {
				t.Errorf("scales nothing: %s", l.text)
			}
		case "Ingress":
			for _, rule := range d.Spec.Rules {
				for _, path := range rule.HTTP.Paths {
					if !has("Kubernetes::core::Service", path.Backend.Service.Name) {
						t.Errorf("no service %s: %s", path.Backend.Service.Name, l.text)
					}
				}
			}
		}
	}

	// A service's selector is flat, and picks the pods of one deployment.
	state := alive(lines, moment(t, scenario.End))
	for k, l := range state {
		if k.kind != "Kubernetes::core::Service" {
			continue
		}
		var service, target object
		if err := json.Unmarshal(l.Configuration, &service); err != nil {
			t.Fatal(err)
		}
		var selector map[string]string
		if err := json.Unmarshal(service.Spec.Selector, &selector); err != nil {
			t.Fatal(err)
		}
		deployment := state[key{k.account, "", "Kubernetes::apps::Deployment", k.id}]
		if err := json.Unmarshal(deployment.Configuration, &target); err != nil {
			t.Fatalf("%s: %v", k.id, err)
		}
		if !subset(selector, target.Spec.Template.Metadata.Labels) {
			t.Errorf("service %s selects nothing", k.id)
		}
	}
}

// object is what the Kubernetes test reads of the documents.
type object struct {
	Kind     string
	Metadata struct{ Name, Namespace string }
	Spec     struct {
		Selector json.RawMessage
		Template struct {
			Metadata struct{ Labels map[string]string }
			Spec     struct {
				ServiceAccountName string
				Containers         []struct {
					EnvFrom []struct{ ConfigMapRef struct{ Name string } }
				}
			}
		}
		ScaleTargetRef struct{ Name string }
		Rules          []struct {
			HTTP struct {
				Paths []struct {
					Backend struct{ Service struct{ Name string } }
				}
			}
		}
	}
}

func subset(part, whole map[string]string) bool {
	for k, v := range part {
		if whole[k] != v {
			return false
		}
	}
	return len(part) > 0
}
