package server

import (
	"context"
	"math"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/test/bufconn"
)

// inProcess is the network of the pipe that Connect makes.
const inProcess = "bufconn"

// pipeBytes is how much one side may be ahead of the other.
const pipeBytes = 1 << 20

// Connect returns a connection to the server that does not leave the process, and
// so needs no TLS; calls over it pass the same checks as all others, with the
// credentials that they bring. It takes messages of any size. The handler, which
// may be nil, sees its wire. The caller closes it; Stop cuts it off.
func (s *Server) Connect(wire stats.Handler) (*grpc.ClientConn, error) {
	pipe := bufconn.Listen(pipeBytes)
	options := []grpc.DialOption{
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return pipe.DialContext(ctx) }),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(math.MaxInt32), grpc.MaxCallSendMsgSize(math.MaxInt32)),
	}
	if wire != nil {
		options = append(options, grpc.WithStatsHandler(wire))
	}
	conn, err := grpc.NewClient("passthrough:///within", options...)
	if err != nil {
		return nil, err
	}
	go func() { _ = s.grpc.Serve(pipe) }() // Stop ends it, and waits for it
	return conn, nil
}
