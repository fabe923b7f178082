package answer

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// RuleScope is which resources are meant; what is empty means all.
type RuleScope struct {
	Types    []string `json:"resourceTypes,omitempty"`
	IDs      []string `json:"resourceIds,omitempty"`
	TagKey   string   `json:"tagKey,omitempty"`
	TagValue string   `json:"tagValue,omitempty"`
	Accounts []string `json:"accounts,omitempty"`
	Regions  []string `json:"regions,omitempty"`
}

func ruleScopeOf(p *varvev1.RuleScope) RuleScope {
	return RuleScope{p.GetTypes(), p.GetIds(), p.GetTagKey(), p.GetTagValue(), p.GetAccounts(), p.GetRegions()}
}

// Rule is a rule as it is recorded.
type Rule struct {
	Name            string            `json:"name"`
	Pack            string            `json:"pack,omitempty"`
	Owner           string            `json:"owner"`
	Identifier      string            `json:"identifier"`
	Description     string            `json:"description"`
	Severity        string            `json:"severity"`
	Scope           RuleScope         `json:"scope"`
	Trigger         string            `json:"trigger"`
	Period          string            `json:"period"`
	Mode            string            `json:"mode"`
	Parameters      []RuleParameter   `json:"parameters"`
	InputParameters map[string]string `json:"inputParameters"`
	Frameworks      []string          `json:"frameworks"`
	Applicable      string            `json:"applicable,omitempty"`
	Compliant       string            `json:"compliant,omitempty"`
	Annotation      string            `json:"annotation,omitempty"`
	External        bool              `json:"external"`
	EffectiveFrom   string            `json:"effectiveFrom"`
	PutAt           string            `json:"putAt"`
	Version         uint32            `json:"version"`
}

// RuleParameter is declared by a rule.
type RuleParameter struct {
	Name        string  `json:"name"`
	Type        string  `json:"type"`
	Description string  `json:"description,omitempty"`
	Default     *string `json:"default,omitzero"`
	Required    bool    `json:"required"`
}

// RuleOf reads a rule.
func RuleOf(p *varvev1.Rule) Rule {
	pack, name := unqualify(strings.TrimPrefix(p.GetName(), "rules/"))
	input := p.GetInputParameters()
	if input == nil {
		input = map[string]string{}
	}
	return Rule{
		Name: name, Pack: pack, Owner: ownerOf(p.GetAccount(), p.GetRegion()), Identifier: p.GetIdentifier(), Description: p.GetDescription(),
		Severity: p.GetSeverity(), Scope: ruleScopeOf(p.GetScope()), Trigger: p.GetTrigger(), Period: p.GetPeriod().AsDuration().String(),
		Mode: p.GetMode(), InputParameters: input, Frameworks: list(p.GetFrameworks()),
		Parameters: each(p.GetParameters(), func(p *varvev1.RuleParameter) RuleParameter {
			return RuleParameter{p.GetName(), p.GetType(), p.GetDescription(), p.Default, p.GetRequired()}
		}),
		Applicable: p.GetApplicable(), Compliant: p.GetCompliant(), Annotation: p.GetAnnotation(), External: p.GetExternal(),
		EffectiveFrom: Time(p.GetEffectiveFrom()), PutAt: Time(p.GetPutAt()), Version: p.GetVersion(),
	}
}

// Recorded is the name under which a rule of a pack or of none is recorded.
func (r *Rule) Recorded() string { return Qualify(r.Pack, r.Name) }

// Qualify is the name under which a rule of a pack is recorded.
func Qualify(pack, name string) string {
	if pack == "" {
		return name
	}
	return pack + "/" + name
}

// Pack is a conformance pack as it is recorded.
type Pack struct {
	Name         string            `json:"name"`
	Owner        string            `json:"owner"`
	Description  string            `json:"description"`
	Rules        []PackRule        `json:"rules"`
	Parameters   []PackParameter   `json:"parameters"`
	Remediations []PackRemediation `json:"remediations"`
	Notes        []PackNote        `json:"notes"`
	Checks       []PackCheck       `json:"checks,omitempty"`
	PutAt        string            `json:"putAt"`
	Version      uint32            `json:"version"`
}

// PackRule is a rule of a pack.
type PackRule struct {
	Name       string `json:"name"`
	Identifier string `json:"identifier"`
	State      string `json:"state"`
	Reason     string `json:"reason"`
	Severity   string `json:"severity,omitempty"`
	Check      string `json:"check,omitempty"`
}

// PackParameter is an input of a pack.
type PackParameter struct {
	Name  string  `json:"name"`
	Type  string  `json:"type"`
	Value *string `json:"value"`
	Given bool    `json:"given"`
}

// PackRemediation is what a template would have AWS do.
type PackRemediation struct {
	Rule       string         `json:"rule"`
	TargetType string         `json:"targetType"`
	TargetID   string         `json:"targetId"`
	Properties jsontext.Value `json:"properties,omitzero"`
}

// PackNote is something of a template that has no effect.
type PackNote struct {
	Field  string `json:"field"`
	Line   int32  `json:"line"`
	Column int32  `json:"column"`
	Text   string `json:"text"`
}

// PackCheck is some rules, and what their verdicts come to.
type PackCheck struct {
	Name   string   `json:"name"`
	Status string   `json:"status"`
	Reason string   `json:"reason"`
	Rules  []string `json:"rules"`
}

// PackOf reads a pack.
func PackOf(p *varvev1.Pack) Pack {
	return Pack{
		Name: strings.TrimPrefix(p.GetName(), "packs/"), Owner: ownerOf(p.GetAccount(), p.GetRegion()), Description: p.GetDescription(),
		Rules: each(p.GetRules(), func(p *varvev1.Pack_PackRule) PackRule {
			return PackRule{p.GetName(), p.GetIdentifier(), p.GetState(), p.GetReason(), p.GetSeverity(), p.GetCheck()}
		}),
		Parameters: each(p.GetParameters(), func(p *varvev1.Pack_Parameter) PackParameter {
			return PackParameter{p.GetName(), p.GetType(), p.Value, p.GetGiven()}
		}),
		Remediations: each(p.GetRemediations(), func(p *varvev1.Pack_Remediation) PackRemediation {
			return PackRemediation{p.GetRule(), p.GetTargetType(), p.GetTargetId(), p.GetProperties().GetRaw()}
		}),
		Notes: each(p.GetNotes(), func(p *varvev1.Pack_Note) PackNote {
			return PackNote{p.GetField(), p.GetLine(), p.GetColumn(), p.GetText()}
		}),
		Checks: each(p.GetChecks(), func(p *varvev1.Pack_Check) PackCheck {
			return PackCheck{p.GetName(), p.GetStatus(), p.GetReason(), list(p.GetRules())}
		}),
		PutAt: Time(p.GetPutAt()), Version: p.GetVersion(),
	}
}

// Unsupported counts the rules that are not judged.
func (p *Pack) Unsupported() int {
	n := 0
	for _, r := range p.Rules {
		if r.State != "ACTIVE" {
			n++
		}
	}
	return n
}

// Waiver is a waiver as it is recorded.
type Waiver struct {
	Name      string    `json:"name"`
	Owner     string    `json:"owner"`
	Rules     []string  `json:"rules"`
	Scope     RuleScope `json:"scope"`
	Reason    string    `json:"reason"`
	Author    string    `json:"author"`
	ExpiresAt string    `json:"expiresAt"`
	PutAt     string    `json:"putAt"`
}

// WaiverOf reads a waiver.
func WaiverOf(p *varvev1.Waiver) Waiver {
	return Waiver{
		Name: strings.TrimPrefix(p.GetName(), "waivers/"), Owner: ownerOf(p.GetAccount(), p.GetRegion()), Rules: list(p.GetRules()),
		Scope: ruleScopeOf(p.GetScope()), Reason: p.GetReason(), Author: p.GetAuthor(), ExpiresAt: Time(p.GetExpiresAt()), PutAt: Time(p.GetPutAt()),
	}
}
