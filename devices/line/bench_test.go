package line

import (
	"net"
	"testing"

	"coffer/ssp"
)

func BenchmarkExchangeTCP(b *testing.B) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer ln.Close()
	peer := newBus(&slave{})
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				peer.serve(c)
			}()
		}
	}()
	benchmark(b, TCPOpener(ln.Addr().String()))
}

func BenchmarkExchangePipe(b *testing.B) { benchmark(b, ConnOpener(newBus(&slave{}).dial)) }

// benchmark measures a poll and its answer, plain and encrypted.
func benchmark(b *testing.B, open Opener) {
	p := synced(b, startOpener(b, Config{}, open), 0)
	poll := ssp.CmdPoll.Data()
	run := func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := p.Tx(b.Context(), poll); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("plain", run)
	if err := p.Negotiate(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.Run("encrypted", run)
}
