package gateway

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// stillStream is a stream on which nothing comes until it ends.
type stillStream struct {
	grpc.ClientStream
	end chan struct{}
}

func (s stillStream) Recv() (*varvev1.WatchChangesResponse, error) {
	<-s.end
	return nil, status.Error(codes.Unavailable, "the daemon is stopping")
}

// flushed is an answer that notes what was flushed.
type flushed struct {
	*httptest.ResponseRecorder
	text string
}

func (f *flushed) FlushError() error { f.text = f.Body.String(); return nil }

// Those in between cut what is silent for a minute, often for half of one.
func TestCommentsFillSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answer := &flushed{ResponseRecorder: httptest.NewRecorder()}
		out := &eventWriter{w: answer, control: http.NewResponseController(answer)}
		stream := stillStream{end: make(chan struct{})}
		mark := &varvev1.WatchChangesResponse{Part: &varvev1.WatchChangesResponse_Progress_{
			Progress: &varvev1.WatchChangesResponse_Progress{Position: "p"},
		}}
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			(&events{}).forward(httptest.NewRequest(http.MethodGet, watchPath, nil), out, stream, mark)
		}()
		time.Sleep(3*time.Minute + time.Second) // of the bubble: it takes no time
		close(stream.end)
		<-ended
		if want := "id: p\nevent: progress\ndata: {\"position\":\"p\"}\n\n" + strings.Repeat(":\n\n", 12) + "event: failure\n"; !strings.HasPrefix(answer.text, want) {
			t.Errorf("got %q, want %q", answer.text, want)
		}
		if !strings.Contains(answer.text, "event: failure\ndata: {\"code\":14,") {
			t.Errorf("ends with %q", answer.text)
		}
	})
}
