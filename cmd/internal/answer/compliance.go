package answer

import (
	"math"
	"slices"
	"strings"
	"time"

	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// Through is how far evaluation has come.
type Through struct {
	Position string `json:"position"`
	Time     string `json:"time"`
}

// ThroughOf reads it.
func ThroughOf(p *varvev1.EvaluatedThrough) Through {
	return Through{Position: p.GetPosition(), Time: Time(p.GetTime())}
}

// Result is a verdict as it stands at a moment.
type Result struct {
	Rule string `json:"rule"`
	Pack string `json:"pack,omitempty"`
	Key
	Compliance string `json:"compliance"`
	Annotation string `json:"annotation"`
	Since      string `json:"since"`
	FirstSeen  string `json:"firstSeen"`
	Waived     bool   `json:"waived"`
}

// ResultOf reads a verdict.
func ResultOf(p *varvev1.ComplianceResult) Result {
	return Result{
		Rule: p.GetRule(), Pack: p.GetPack(), Key: KeyOf(p.GetKey()), Compliance: p.GetCompliance(), Annotation: p.GetAnnotation(),
		Since: Time(p.GetSince()), FirstSeen: Time(p.GetFirstSeen()), Waived: p.GetWaived() != nil,
	}
}

// Verdict is what is said, and why.
type Verdict struct {
	Compliance string `json:"compliance"`
	Annotation string `json:"annotation"`
}

// VerdictOf reads a verdict; null where there is none.
func VerdictOf(p *varvev1.Verdict) *Verdict {
	if p == nil {
		return nil
	}
	return &Verdict{p.GetCompliance(), p.GetAnnotation()}
}

// Interval is a verdict over a span of captured time; To is "" while it holds.
type Interval struct {
	From       string `json:"from"`
	To         string `json:"to"`
	Compliance string `json:"compliance"`
	Annotation string `json:"annotation"`
}

// IntervalOf reads an interval.
func IntervalOf(p *varvev1.ComplianceInterval) Interval {
	return Interval{From: Time(p.GetFrom()), To: Time(p.GetTo()), Compliance: p.GetCompliance(), Annotation: p.GetAnnotation()}
}

// Timeline is what a rule says of a resource over captured time.
type Timeline struct {
	Rule string `json:"rule"`
	Pack string `json:"pack,omitempty"`
	Key
	Intervals []Interval `json:"intervals"`
}

// TimelineOf reads a timeline.
func TimelineOf(p *varvev1.ComplianceTimeline) Timeline {
	return Timeline{Rule: p.GetRule(), Pack: p.GetPack(), Key: KeyOf(p.GetKey()), Intervals: each(p.GetIntervals(), IntervalOf)}
}

// ResourceChange is how a resource changed.
type ResourceChange struct {
	Key
	From  *State      `json:"from"`
	To    *State      `json:"to"`
	Patch []Operation `json:"patch"`
}

// ResourceChangeOf reads a change.
func ResourceChangeOf(p *varvev1.ResourceChange) ResourceChange {
	return ResourceChange{Key: KeyOf(p.GetKey()), From: stateOf(p.GetBefore()), To: stateOf(p.GetAfter()), Patch: operations(p.GetPatch())}
}

// Exposure is what a rule says of one resource over a span of the past.
type Exposure struct {
	Key
	Intervals      []Interval `json:"intervals"`
	ExposureHours  float64    `json:"exposureHours"`
	FirstViolation *Violation `json:"firstViolation,omitzero"`
}

// Violation is the version of a resource that did not comply first.
type Violation struct {
	At    string      `json:"at"`
	From  *State      `json:"from"`
	To    *State      `json:"to"`
	Patch []Operation `json:"patch"`
}

// ExposureOf reads it.
func ExposureOf(p *varvev1.BacktestRuleResponse_Resource) Exposure {
	e := Exposure{Key: KeyOf(p.GetKey()), Intervals: each(p.GetIntervals(), IntervalOf), ExposureHours: Hours(p.GetExposure().AsDuration())}
	if v := p.GetFirstViolation(); v != nil {
		c := ResourceChangeOf(v.GetChange())
		e.FirstViolation = &Violation{At: Time(v.GetAt()), From: c.From, To: c.To, Patch: c.Patch}
	}
	return e
}

// Hours is a duration in hours, to a millionth.
func Hours(d time.Duration) float64 { return math.Round(d.Hours()*1e6) / 1e6 }

// Bisection is the first change that made a rule fail for a resource.
type Bisection struct {
	Key
	At      string           `json:"at"`
	What    string           `json:"what"`
	Before  *Verdict         `json:"before"`
	After   *Verdict         `json:"after"`
	Changes []ResourceChange `json:"changes"`
}

// BisectionOf reads it.
func BisectionOf(p *varvev1.BisectRuleResponse) Bisection {
	return Bisection{
		Key: KeyOf(p.GetKey()), At: Time(p.GetAt()), What: strings.ToLower(strings.TrimPrefix(p.GetWhat().String(), "WHAT_")),
		Before: VerdictOf(p.GetBefore()), After: VerdictOf(p.GetAfter()), Changes: each(p.GetChanges(), ResourceChangeOf),
	}
}

// Prospect is what a rule says of a resource now, and would say of a proposed state.
type Prospect struct {
	Rule     string   `json:"rule"`
	Pack     string   `json:"pack,omitempty"`
	Severity string   `json:"severity"`
	Now      *Verdict `json:"now"`
	Then     *Verdict `json:"then"`
}

// ProspectOf reads it.
func ProspectOf(p *varvev1.EvaluateProposalResponse_Prospect) Prospect {
	pack, name := unqualify(p.GetRule())
	return Prospect{Rule: name, Pack: pack, Severity: p.GetSeverity(), Now: VerdictOf(p.GetNow()), Then: VerdictOf(p.GetThen())}
}

// Dependant is a verdict on another resource that would change.
type Dependant struct {
	Key
	Prospect
}

// WhatIf is what a proposed state of a resource would do.
type WhatIf struct {
	Key
	Prospects       []Prospect  `json:"prospects"`
	Dependants      []Dependant `json:"dependants"`
	Truncated       bool        `json:"truncated"` // more verdicts may change
	TruncatedReason string      `json:"truncatedReason,omitempty"`
}

// WhatIfOf reads it.
func WhatIfOf(p *varvev1.EvaluateProposalResponse) WhatIf {
	return WhatIf{
		Key: KeyOf(p.GetKey()), Prospects: each(p.GetProspects(), ProspectOf),
		Dependants: each(p.GetDependants(), func(d *varvev1.EvaluateProposalResponse_Dependant) Dependant {
			return Dependant{KeyOf(d.GetKey()), ProspectOf(d.GetProspect())}
		}),
		Truncated: p.GetTruncated(), TruncatedReason: p.GetTruncatedReason(),
	}
}

// Fails reports whether something would not comply that the proposal decides upon.
func (w *WhatIf) Fails() bool {
	fails := func(p *Prospect) bool {
		return p.Then != nil && (p.Then.Compliance == "NON_COMPLIANT" || p.Then.Compliance == "ERROR")
	}
	return slices.ContainsFunc(w.Prospects, func(p Prospect) bool { return fails(&p) }) ||
		slices.ContainsFunc(w.Dependants, func(d Dependant) bool { return fails(&d.Prospect) })
}

func unqualify(recorded string) (pack, name string) {
	if pack, name, ok := strings.Cut(recorded, "/"); ok {
		return pack, name
	}
	return "", recorded
}

// Counts are numbers of verdicts.
type Counts struct {
	Compliant        uint64 `json:"compliant"`
	NonCompliant     uint64 `json:"nonCompliant"`
	NotApplicable    uint64 `json:"notApplicable"`
	InsufficientData uint64 `json:"insufficientData"`
	Errors           uint64 `json:"errors"`
	Waived           uint64 `json:"waived"`
	UnsupportedRules uint64 `json:"unsupportedRules"`
	Compliance       string `json:"compliance"`
	Score            string `json:"score"`
}

// CountsOf reads numbers.
func CountsOf(p *varvev1.ComplianceCounts) Counts {
	return Counts{
		p.GetCompliant(), p.GetNonCompliant(), p.GetNotApplicable(), p.GetInsufficientData(), p.GetErrors(), p.GetWaived(),
		p.GetUnsupportedRules(), p.GetCompliance(), p.GetScore(),
	}
}

// Group is a line of a summary.
type Group struct {
	Name string `json:"name"`
	Counts
}

// GroupOf reads a line.
func GroupOf(p *varvev1.SummarizeComplianceResponse_Group) Group {
	return Group{p.GetName(), CountsOf(p.GetCounts())}
}

// ownerOf is whose a rule, a pack or a waiver is; empty: the whole installation.
func ownerOf(account, region string) string {
	return strings.TrimSuffix(account+"/"+region, "/")
}
