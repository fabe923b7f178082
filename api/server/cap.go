package server

import (
	"fmt"
	"strconv"

	"google.golang.org/protobuf/proto"

	"github.com/varvehq/varve/graph"
	"github.com/varvehq/varve/history"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// Caps of questions about the graph: what is asked for unless they say, and the
// most that they get. Limits are in relationships, users or whatever is listed.
const (
	defaultLimit, maxLimit         = 1_000, 100_000
	maxDepth                       = 100
	defaultPaths, maxPaths         = 100, 1_000
	defaultPathDepth, maxPathDepth = 16, 32

	// answerBytes is the largest answer; two of them are a message.
	answerBytes = MaxMessage / 2
)

// limitOf reads a limit. Who asks for more than the most gets the most, and is
// told in the answer if there is more.
func limitOf(asked int32, otherwise, most int) (int, error) {
	switch {
	case asked < 0:
		return 0, &history.Error{Kind: history.Invalid, Field: "limit", Value: strconv.Itoa(int(asked)), Text: "is negative"}
	case asked == 0:
		return otherwise, nil
	}
	return min(int(asked), most), nil
}

// depthOf reads a depth. Nobody could tell from an answer that it does not reach
// as far as was asked, so that is refused.
func depthOf(asked int32, otherwise, most int) (int, error) {
	text := ""
	switch {
	case asked == 0:
		return otherwise, nil
	case asked < 0:
		text = "is negative"
	case int(asked) > most:
		text = fmt.Sprintf("is too deep: %d is the most", most)
	default:
		return int(asked), nil
	}
	return 0, &history.Error{Kind: history.Invalid, Field: "depth", Value: strconv.Itoa(int(asked)), Text: text}
}

// around is a question about the relationships around resources.
type around interface {
	GetDirection() varvev1.Direction
	GetName() string
	GetOtherType() string
	GetDepth() int32
	GetLimit() int32
}

func graphQuery(req around) (graph.Query, error) {
	direction, ok := map[varvev1.Direction]graph.Direction{
		varvev1.Direction_DIRECTION_UNSPECIFIED: graph.Both,
		varvev1.Direction_DIRECTION_OUT:         graph.Outgoing,
		varvev1.Direction_DIRECTION_IN:          graph.Incoming,
		varvev1.Direction_DIRECTION_BOTH:        graph.Both,
	}[req.GetDirection()]
	if !ok {
		return graph.Query{}, &history.Error{Kind: history.Invalid, Field: "direction", Value: req.GetDirection().String(), Text: "is not known"}
	}
	q := graph.Query{Direction: direction, Name: req.GetName(), Type: req.GetOtherType()}
	var err error
	if q.Depth, err = depthOf(req.GetDepth(), 1, maxDepth); err != nil {
		return q, err
	}
	q.Limit, err = limitOf(req.GetLimit(), defaultLimit, maxLimit)
	return q, err
}

// capped is an answer that is being written.
type capped struct {
	truncated bool
	left      int // bytes
}

func answering(truncated bool) *capped { return &capped{truncated, answerBytes} }

// fit writes as much of a list as there is room for in the answer.
func fit[T any, P proto.Message](a *capped, list []T, write func(*T) P) []P {
	out := make([]P, 0, len(list))
	for i := range list {
		p := write(&list[i])
		if a.left -= proto.Size(p); a.left < 0 {
			a.truncated = true
			break
		}
		out = append(out, p)
	}
	return out
}
