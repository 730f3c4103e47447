package line

import (
	"context"
	"math/rand/v2"
	"net"
	"sync"
)

// noisyConn damages what goes through it: each byte is flipped in one bit, and each is dropped, with probability rate.
type noisyConn struct {
	net.Conn
	rate float64

	mu  sync.Mutex
	rnd *rand.Rand
}

// noisy wraps the connections of dial.
func noisy(dial func(context.Context) (net.Conn, error), seed uint64, rate float64) func(context.Context) (net.Conn, error) {
	return func(ctx context.Context) (net.Conn, error) {
		c, err := dial(ctx)
		if err != nil {
			return nil, err
		}
		return &noisyConn{Conn: c, rate: rate, rnd: rand.New(rand.NewPCG(seed, 0))}, nil
	}
}

// damage changes b in place and returns what is left of it.
func (c *noisyConn) damage(b []byte) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := b[:0]
	for _, x := range b {
		if c.rnd.Float64() < c.rate {
			continue
		}
		if c.rnd.Float64() < c.rate {
			x ^= 1 << c.rnd.IntN(8)
		}
		out = append(out, x)
	}
	return out
}

func (c *noisyConn) Read(p []byte) (int, error) {
	for {
		n, err := c.Conn.Read(p)
		if n = len(c.damage(p[:n])); n > 0 || err != nil {
			return n, err
		}
	}
}

func (c *noisyConn) Write(p []byte) (int, error) {
	if _, err := c.Conn.Write(c.damage(append([]byte(nil), p...))); err != nil {
		return 0, err
	}
	return len(p), nil
}
