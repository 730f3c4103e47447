package service

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"coffer/service/config"
)

// selfSignedLife is how long a certificate that coffer makes itself is good. Tills are not visited often.
const selfSignedLife = 10 * 365 * 24 * time.Hour

// selfSigned is the file of certificate and key that coffer makes itself, in the data directory.
func selfSigned(dir string) string { return filepath.Join(dir, "secrets", "tls.pem") }

// certificate returns what a listener answers TLS with, nil for plain HTTP.
func (a *app) certificate(t *config.TLS) (*tls.Config, error) {
	if t == nil {
		return nil, nil
	}
	certFile, keyFile := config.Resolve(a.dir, t.CertFile), config.Resolve(a.dir, t.KeyFile)
	if t.SelfSigned {
		certFile = selfSigned(a.dir)
		keyFile = certFile
		if err := a.keepSelfSigned(certFile); err != nil {
			return nil, fmt.Errorf("certificate: %w", err)
		}
	}
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, fmt.Errorf("certificate: %w; correct tls of the listener, or let coffer make one: tls: {self_signed: true}", err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, nil
}

// keepSelfSigned makes the certificate where there is none that is good for every listener that needs it, for another
// month; one that is good is kept, so that clients which trust it go on doing so.
func (a *app) keepSelfSigned(file string) error {
	hosts := names(a.cfg.HTTP)
	text, err := os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	default:
		pair, err := tls.X509KeyPair(text, text)
		if err != nil {
			return fmt.Errorf("%s: %w; remove the file, and a new one is made", file, err)
		}
		missing := func(h string) bool { return pair.Leaf.VerifyHostname(h) != nil }
		if time.Until(pair.Leaf.NotAfter) > 30*24*time.Hour && !slices.ContainsFunc(hosts, missing) {
			return nil
		}
	}
	text, err = makeSelfSigned(hosts, time.Now())
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	if err := writeFile(file, text, 0o600); err != nil {
		return err
	}
	a.log.WithField("file", file).Info("made a self-signed certificate; copy its certificate part to the clients that are to trust it")
	return nil
}

// names are the names and addresses under which clients reach the listeners with a self-signed certificate.
func names(listeners []config.Listener) []string {
	list := []string{"localhost", "127.0.0.1", "::1"}
	if name, err := os.Hostname(); err == nil && name != "" {
		list = append(list, name)
	}
	for _, l := range listeners {
		host, _, err := net.SplitHostPort(l.Listen)
		ip := net.ParseIP(host)
		if err == nil && l.TLS != nil && l.TLS.SelfSigned && (ip == nil || !ip.IsUnspecified()) {
			list = append(list, host)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// makeSelfSigned returns certificate and key in PEM.
func makeSelfSigned(hosts []string, now time.Time) ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	c := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "coffer"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(selfSignedLife),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true, IsCA: true, MaxPathLenZero: true,
	}
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			c.IPAddresses = append(c.IPAddresses, ip)
		} else {
			c.DNSNames = append(c.DNSNames, h)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		return nil, err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return append(text, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})...), nil
}

// trusted is a client for this coffer's own https listeners: it trusts the certificate that coffer has made, beside
// those that the system trusts.
func trusted(dir string) *http.Client {
	text, err := os.ReadFile(selfSigned(dir))
	if err != nil {
		return http.DefaultClient
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	roots.AppendCertsFromPEM(text)
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	return &http.Client{Transport: t}
}

// private returns an error that says what to do if others than its owner can read a file. Windows has no such bits.
func private(file string) error {
	info, err := os.Stat(file)
	if err != nil || filepath.Separator == '\\' || info.Mode().Perm()&0o077 == 0 {
		return err
	}
	return fmt.Errorf("%s has mode %04o; make it 0600", file, info.Mode().Perm())
}
