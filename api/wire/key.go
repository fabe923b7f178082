package wire

import (
	"errors"

	"github.com/varvehq/varve/history"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// KeyToProto writes a key.
func KeyToProto(k history.Key) *varvev1.ResourceKey {
	return &varvev1.ResourceKey{Account: k.Account, Region: k.Region, Type: k.Type, Id: k.ID}
}

// KeyFromProto reads a key that can be stored; nil is Invalid.
func KeyFromProto(p *varvev1.ResourceKey) (history.Key, error) {
	if p == nil {
		return history.Key{}, &history.Error{Kind: history.Invalid, Field: "key", Text: "is required"}
	}
	k := history.Key{Account: p.GetAccount(), Region: p.GetRegion(), Type: p.GetType(), ID: p.GetId()}
	if err := k.Validate(); err != nil {
		return k, within("key", err)
	}
	return k, nil
}

// within puts the name of the message in front of the field an error names.
func within(message string, err error) error {
	var e *history.Error
	if !errors.As(err, &e) || e.Field == "" {
		return err
	}
	named := *e
	named.Field = message + "." + e.Field
	return &named
}

func relationshipsToProto(list []history.Relationship) []*varvev1.Relationship {
	if len(list) == 0 {
		return nil
	}
	out := make([]*varvev1.Relationship, len(list))
	for i, r := range list {
		out[i] = &varvev1.Relationship{
			Name: r.Name, Type: r.Type, Id: r.ID,
			ResourceName: r.ResourceName, Account: r.Account, Region: r.Region,
		}
	}
	return out
}

func relationshipsFromProto(list []*varvev1.Relationship) []history.Relationship {
	if len(list) == 0 {
		return nil
	}
	out := make([]history.Relationship, len(list))
	for i, r := range list {
		out[i] = history.Relationship{
			Name: r.GetName(), Type: r.GetType(), ID: r.GetId(),
			ResourceName: r.GetResourceName(), Account: r.GetAccount(), Region: r.GetRegion(),
		}
	}
	return out
}

func causeToProto(c history.Cause) *varvev1.Cause {
	if c == (history.Cause{}) {
		return nil
	}
	return &varvev1.Cause{Actor: c.Actor, EventId: c.EventID, SourceIp: c.SourceIP}
}

func causeFromProto(p *varvev1.Cause) history.Cause {
	return history.Cause{Actor: p.GetActor(), EventID: p.GetEventId(), SourceIP: p.GetSourceIp()}
}
