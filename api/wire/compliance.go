package wire

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/varvehq/varve/history"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/engine"
	"github.com/varvehq/varve/rules/managed"
	"github.com/varvehq/varve/rules/recorded"
)

// Collections of what is named within an owner.
const (
	RuleNames   = "rules/"
	PackNames   = "packs/"
	WaiverNames = "waivers/"
)

// ParseName reads a resource name in a collection, such as rules/NAME. What names
// there may be is not its business.
func ParseName(field, collection, name string) (string, error) {
	id, ok := strings.CutPrefix(name, collection)
	switch {
	case name == "":
		return "", invalid(field, "", "is required")
	case !ok:
		return "", invalid(field, strconv.Quote(shorten(name)), "is not of the form "+collection+"NAME")
	}
	return id, nil
}

// ownedMessage names an owner.
type ownedMessage interface {
	GetAccount() string
	GetRegion() string
}

// OwnerFromProto reads an owner.
func OwnerFromProto(p ownedMessage) (rules.Owner, error) {
	o := rules.Owner{Account: p.GetAccount(), Region: p.GetRegion()}
	k := history.Key{Account: o.Account, Region: o.Region, Type: rules.TypeRule, ID: "-"}
	return o, k.Validate()
}

// VerdictToProto writes a verdict; none gives nil.
func VerdictToProto(v rules.Verdict) *varvev1.Verdict {
	if v.Compliance == "" {
		return nil
	}
	return &varvev1.Verdict{Compliance: string(v.Compliance), Annotation: v.Annotation}
}

// IntervalsToProto writes verdicts over time.
func IntervalsToProto(list []engine.Interval) []*varvev1.ComplianceInterval {
	out := make([]*varvev1.ComplianceInterval, len(list))
	for i := range list {
		v := &list[i]
		out[i] = &varvev1.ComplianceInterval{
			From: MomentToProto(v.From), To: MomentToProto(v.To),
			Compliance: string(v.Compliance), Annotation: v.Annotation, RuleVersion: v.Version,
		}
	}
	return out
}

// ThroughToProto writes how far evaluation has come.
func ThroughToProto(t engine.Through) *varvev1.EvaluatedThrough {
	return &varvev1.EvaluatedThrough{Position: string(t.Position), Time: MomentToProto(t.Time), Revision: uint64(t.Revision)}
}

func scopeToProto(s rules.Scope) *varvev1.RuleScope {
	if len(s.Types)+len(s.IDs)+len(s.Accounts)+len(s.Regions) == 0 && s.TagKey == "" {
		return nil
	}
	return &varvev1.RuleScope{Types: s.Types, Ids: s.IDs, TagKey: s.TagKey, TagValue: s.TagValue, Accounts: s.Accounts, Regions: s.Regions}
}

func scopeFromProto(p *varvev1.RuleScope) rules.Scope {
	return rules.Scope{
		Types: slices.Clone(p.GetTypes()), IDs: slices.Clone(p.GetIds()), TagKey: p.GetTagKey(), TagValue: p.GetTagValue(),
		Accounts: slices.Clone(p.GetAccounts()), Regions: slices.Clone(p.GetRegions()),
	}
}

// RuleToProto writes a rule: of a managed one with the parameters and the judgement
// that this version of the program has for it.
func RuleToProto(r *recorded.Rule) *varvev1.Rule {
	shown := &r.Rule
	if resolved, err := managed.Resolve(shown); err == nil {
		shown = resolved
	}
	p := &varvev1.Rule{
		Name: RuleNames + r.Recorded(), Account: r.Owner.Account, Region: r.Owner.Region, Pack: r.Pack,
		Description: shown.Description, Identifier: r.Identifier, Scope: scopeToProto(shown.Scope),
		Period: durationpb.New(r.Period), InputParameters: r.Arguments,
		Severity: string(r.Severity), Frameworks: r.Frameworks,
		Applicable: shown.Applicable, Compliant: shown.Compliant, Annotation: shown.Annotation, External: r.External,
		EffectiveFrom: MomentToProto(r.From), PutAt: MomentToProto(r.PutAt), Version: r.Version,
	}
	if r.Trigger != 0 { // else the rule cannot be read
		p.Trigger, p.Mode = r.Trigger.String(), r.Mode.String()
	}
	for _, one := range shown.Parameters {
		p.Parameters = append(p.Parameters, &varvev1.RuleParameter{
			Name: one.Name, Type: string(one.Type), Description: one.Description, Default: one.Default, Required: one.Required,
		})
	}
	return p
}

// PackToProto writes a pack, without its template and its checks.
func PackToProto(k *recorded.Pack) *varvev1.Pack {
	p := &varvev1.Pack{
		Name: PackNames + k.Name, Account: k.Owner.Account, Region: k.Owner.Region, Description: k.Description,
		PutAt: MomentToProto(k.PutAt), Version: k.Version,
	}
	for _, one := range k.Parameters {
		p.Parameters = append(p.Parameters, &varvev1.Pack_Parameter{
			Name: one.Name, Type: one.Type, Description: one.Description, Value: one.Value, Given: one.Given,
		})
	}
	for i := range k.Rules {
		r := &k.Rules[i]
		p.Rules = append(p.Rules, &varvev1.Pack_PackRule{
			Name: r.Name, LogicalId: r.LogicalID, Identifier: r.Identifier, Description: r.Description, State: string(r.State), Reason: r.Reason,
			Severity: string(r.Severity), Controls: r.Controls, Check: r.Check, Status: string(r.Status),
		})
	}
	for _, one := range k.Remediations {
		p.Remediations = append(p.Remediations, &varvev1.Pack_Remediation{
			LogicalId: one.LogicalID, Rule: one.Rule, TargetType: one.TargetType, TargetId: one.TargetID, Properties: JSONToProto(one.Properties),
		})
	}
	for _, one := range k.Notes {
		p.Notes = append(p.Notes, &varvev1.Pack_Note{Field: one.Field, Line: int32(one.Line), Column: int32(one.Column), Text: one.Text})
	}
	return p
}

// WaiverToProto writes a waiver that was put at a moment.
func WaiverToProto(w *engine.Waiver, putAt history.Moment) *varvev1.Waiver {
	return &varvev1.Waiver{
		Name: WaiverNames + w.Name, Account: w.Owner.Account, Region: w.Owner.Region, Rules: w.Rules, Scope: scopeToProto(w.Scope),
		Reason: w.Reason, Author: w.Author, ExpiresAt: MomentToProto(w.Expires), PutAt: MomentToProto(putAt),
	}
}

// WaiverFromProto reads a waiver.
func WaiverFromProto(p *varvev1.Waiver) (*engine.Waiver, error) {
	if p == nil {
		return nil, invalid("waiver", "", "is required")
	}
	name, err := ParseName("name", WaiverNames, p.GetName())
	if err != nil {
		return nil, within("waiver", err)
	}
	owner, err := OwnerFromProto(p)
	if err != nil {
		return nil, within("waiver", err)
	}
	expires, err := MomentFromProto("waiver.expiresAt", p.GetExpiresAt())
	return &engine.Waiver{Owner: owner, Waiver: rules.Waiver{
		Name: name, Rules: slices.Clone(p.GetRules()), Scope: scopeFromProto(p.GetScope()),
		Reason: p.GetReason(), Author: p.GetAuthor(), Expires: expires,
	}}, err
}

// ComplianceResultToProto writes a verdict as it stands.
func ComplianceResultToProto(r *engine.Result) *varvev1.ComplianceResult {
	pack, name := rules.Unqualify(r.Rule)
	p := &varvev1.ComplianceResult{
		Rule: name, Pack: pack, OwnerAccount: r.Owner.Account, OwnerRegion: r.Owner.Region, RuleVersion: r.Version,
		Key: KeyToProto(r.Key), Compliance: string(r.Compliance), Annotation: r.Annotation,
		Since: MomentToProto(r.Since), FirstSeen: MomentToProto(r.FirstSeen), Severity: string(cmp.Or(r.Severity, rules.SeverityMedium)),
	}
	if w := r.Waived; w != nil {
		p.Waived = &varvev1.ComplianceResult_Waiving{Waiver: w.Name, Reason: w.Reason, Author: w.Author, ExpiresAt: MomentToProto(w.Expires)}
	}
	return p
}

// TimelineToProto writes what a rule says of a resource over time.
func TimelineToProto(h *engine.History) *varvev1.ComplianceTimeline {
	pack, name := rules.Unqualify(h.Rule)
	return &varvev1.ComplianceTimeline{
		Rule: name, Pack: pack, OwnerAccount: h.Owner.Account, OwnerRegion: h.Owner.Region, Key: KeyToProto(h.Key),
		Intervals: IntervalsToProto(h.Intervals),
	}
}

// EvaluationFromProto reads a verdict that is put.
func EvaluationFromProto(field string, p *varvev1.PutEvaluationsRequest_Evaluation) (rules.Evaluation, error) {
	var e rules.Evaluation
	name, err := ParseName("rule", RuleNames, p.GetRule())
	if err != nil {
		return e, within(field, err)
	}
	key, err := KeyFromProto(p.GetKey())
	if err != nil {
		return e, within(field, err)
	}
	c, err := rules.ParseCompliance(p.GetCompliance())
	if err != nil {
		return e, within(field, err)
	}
	at, err := MomentFromProto(field+".at", p.GetAt())
	return rules.Evaluation{
		Rule: name, Owner: rules.Owner{Account: p.GetOwnerAccount(), Region: p.GetOwnerRegion()}, Key: key, At: at,
		Verdict: rules.Annotate(c, p.GetAnnotation()),
	}, err
}

// WaitFromProto reads how long to wait, most at most.
func WaitFromProto(p *durationpb.Duration, most time.Duration) (time.Duration, error) {
	if p == nil {
		return 0, nil
	}
	d := p.AsDuration()
	switch {
	case p.CheckValid() != nil || d < 0:
		return 0, invalid("wait", fmt.Sprint(d), "is no duration, or negative")
	case d > most:
		return 0, invalid("wait", fmt.Sprint(d), "is too long; "+most.String()+" is the most")
	}
	return d, nil
}
