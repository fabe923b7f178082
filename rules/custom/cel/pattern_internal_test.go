package cel

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var (
	drawnPattern = rapid.StringOfN(rapid.RuneFrom([]rune("ab*?")), 0, 7, -1)
	drawnText    = rapid.StringOfN(rapid.RuneFrom([]rune("ab")), 0, 7, -1)
)

// expression is a pattern in the language of another machine.
func expression(pattern string) *regexp.Regexp {
	return regexp.MustCompile("^" + strings.NewReplacer("*", "[ab]*", "?", "[ab]").Replace(pattern) + "$")
}

// texts are all of the letters a and b up to a length.
func allTexts(length int) []string {
	all, last := []string{""}, []string{""}
	for range length {
		var longer []string
		for _, t := range last {
			longer = append(longer, t+"a", t+"b")
		}
		all, last = append(all, longer...), longer
	}
	return all
}

func TestWildAgreesWithRegularExpressions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pattern, text := drawnPattern.Draw(t, "pattern"), drawnText.Draw(t, "text")
		if got, want := wild(pattern, text), expression(pattern).MatchString(text); got != want {
			t.Fatalf("wild(%q, %q) = %v", pattern, text, got)
		}
	})
}

// A pattern that fits another one's text fits all that the other one fits.
func TestWildOfAPatternIsForAllItsTexts(t *testing.T) {
	texts := allTexts(8)
	rapid.Check(t, func(t *rapid.T) {
		wide, narrow := drawnPattern.Draw(t, "wide"), drawnPattern.Draw(t, "narrow")
		if !wild(wide, narrow) {
			return
		}
		for _, text := range texts {
			if wild(narrow, text) && !wild(wide, text) {
				t.Fatalf("%q fits %q, but %q only the second", wide, narrow, text)
			}
		}
	})
}

func TestMeetFindsACommonText(t *testing.T) {
	texts := allTexts(8)
	short := rapid.StringOfN(rapid.RuneFrom([]rune("ab*?")), 0, 4, -1) // what is common to two of these has 8 letters at most
	rapid.Check(t, func(t *rapid.T) {
		a, b := short.Draw(t, "a"), short.Draw(t, "b")
		common := ""
		want := false
		for _, text := range texts {
			if wild(a, text) && wild(b, text) {
				common, want = text, true
				break
			}
		}
		if got := meet(a, b); got != want || meet(b, a) != got {
			t.Fatalf("meet(%q, %q) = %v; common %q", a, b, got, common)
		}
	})
}

func TestPortsWithin(t *testing.T) {
	span := rapid.Custom(func(t *rapid.T) ports {
		from := rapid.Int64Range(0, 12).Draw(t, "from")
		return ports{from, rapid.Int64Range(from, 12).Draw(t, "to")}
	})
	rapid.Check(t, func(t *rapid.T) {
		p, allowed := span.Draw(t, "ports"), rapid.SliceOfN(span, 0, 4).Draw(t, "allowed")
		want := true
		for port := p.from; port <= p.to; port++ {
			in := false
			for _, a := range allowed {
				in = in || a.from <= port && port <= a.to
			}
			want = want && in
		}
		if got := p.within(allowed); got != want {
			t.Fatalf("%v within %v: %v", p, allowed, got)
		}
	})
}

// Hostile patterns take no longer than the product of the lengths.
func TestHostilePatterns(t *testing.T) {
	pattern := strings.Repeat("*a", 2000) + "b"
	text := strings.Repeat("a", 4096)
	if wild(pattern, text) || meet(pattern, strings.Repeat("a*", 2000)) == false {
		t.Error("wrong")
	}
}

func FuzzStatements(f *testing.F) {
	f.Add(`{"Statement":{"Effect":"Allow","Principal":{"AWS":["*"]},"Action":"*","Condition":{"StringLike":{"aws:SourceArn":["arn:aws:s3:::*"]}}}}`)
	f.Add(`%7B%22Statement%22%3A%5B%5D%7D`)
	f.Add(`[["{\"Statement\":[]}"]]`)
	f.Fuzz(func(t *testing.T, text string) {
		statements, err := statementsOf(decodeText(text))
		if err != nil {
			return
		}
		for _, s := range statements {
			s.isPublic()
			if s.about("*:*") && !s.hasNotAction && !s.about("s3:GetObject") {
				t.Errorf("%+v is about all actions, and not about one", s)
			}
		}
	})
}
