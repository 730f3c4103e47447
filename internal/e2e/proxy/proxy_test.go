package proxy

import (
	"bytes"
	"io"
	"net"
	"testing"
	"time"

	"go.uber.org/goleak"

	"coffer/ssp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echo answers every chunk with itself.
func echo(t *testing.T) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_, _ = io.Copy(c, c)
			}()
		}
	}()
	return ln.Addr().String()
}

func dial(t *testing.T, p *Proxy) net.Conn {
	c, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	t.Cleanup(func() { c.Close() })
	return c
}

// TestPoints: bytes pass unchanged, and the hook sees every frame four times: to the machine and back, before and after.
func TestPoints(t *testing.T) {
	p, err := Listen(echo(t))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	points := make(chan Point, 100)
	p.SetHook(func(at Point) bool { points <- at; return true })
	c := dial(t, p)

	var sent []byte
	for i := range 5 {
		sent, _ = ssp.AppendFrame(append(sent, 0xAA), ssp.Frame{Seq: i%2 == 0, Data: []byte{0x07, ssp.STX, byte(i)}})
	}
	sent = append(sent, ssp.STX, 0x00, 0x05) // half a frame at the end
	for _, b := range sent {
		if _, err := c.Write([]byte{b}); err != nil {
			t.Fatal(err)
		}
	}
	got := make([]byte, len(sent))
	if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, sent) {
		t.Fatalf("came back % X, %v; want % X", got, err, sent)
	}
	if n, total := p.Count(); n != 10 || total != 10 {
		t.Errorf("counted %d, %d; want 10", n, total)
	}
	if at := <-points; at.String() != "before command 1" {
		t.Errorf("first point %s", at)
	}
}

// TestHalves: a frame whose halves are far apart, as when the computer stands still in between, is a frame all the same.
func TestHalves(t *testing.T) {
	p, err := Listen(echo(t))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	c := dial(t, p)
	wire, _ := ssp.AppendFrame(nil, ssp.Frame{Seq: true, Data: []byte{0x07, ssp.STX, 0x01}})
	for _, half := range [][]byte{wire[:5], wire[5:]} {
		if _, err := c.Write(half); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(half))
		if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, half) {
			t.Fatalf("came back % X, %v; want % X", got, err, half)
		}
	}
	if n, _ := p.Count(); n != 2 {
		t.Errorf("counted %d frames, want one each way", n)
	}
}

// TestCut: a hook that says no keeps the frame from passing and breaks the connection; the next one works.
func TestCut(t *testing.T) {
	p, err := Listen(echo(t))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	wire, _ := ssp.AppendFrame(nil, ssp.Frame{Seq: true, Data: []byte{0x11}})
	p.SetHook(func(at Point) bool { return at.ToDevice || at.Passed })
	c := dial(t, p)
	if _, err := c.Write(wire); err != nil {
		t.Fatal(err)
	}
	if got, _ := io.ReadAll(c); len(got) != 0 {
		t.Errorf("got % X, want nothing", got)
	}
	p.SetHook(nil)
	c = dial(t, p)
	if _, err := c.Write(wire); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(c, make([]byte, len(wire))); err != nil {
		t.Error(err)
	}
	p.Pull()
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("connection lives after Pull")
	}
	if got, _ := io.ReadAll(dial(t, p)); len(got) != 0 {
		t.Errorf("got % X through a pulled line", got)
	}
	p.Plug()
	c = dial(t, p)
	if _, err := c.Write(wire); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(c, make([]byte, len(wire))); err != nil {
		t.Error(err)
	}
}
