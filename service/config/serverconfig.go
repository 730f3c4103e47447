package config

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
)

// ServerConfig is the serverconfig.json of the maker's own REST server, for tills that have one. Keys that it does not
// have leave the listener as it is configured.
type ServerConfig struct {
	Port           int      // 0: not given
	AllowedOrigins []string // nil: not given
	AutoClear      bool     // AutoClearingCashboxLevels: a cashbox that was taken out comes back empty
}

// LoadServerConfig reads the file. Names are taken in any letter case, unknown ones are left alone, AllowedOrigins may be
// a list or one text with commas. A file that does not exist gives the zero ServerConfig.
func LoadServerConfig(file string) (ServerConfig, error) {
	b, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		return ServerConfig{}, nil
	}
	if err != nil {
		return ServerConfig{}, err
	}
	var in struct {
		Port                      json.RawMessage
		AllowedOrigins            json.RawMessage
		AutoClearingCashboxLevels bool
	}
	if err := json.Unmarshal(b, &in); err != nil {
		return ServerConfig{}, fmt.Errorf("%s: %w", file, err)
	}
	out := ServerConfig{AutoClear: in.AutoClearingCashboxLevels}
	if text := strings.Trim(string(in.Port), `"`); text != "" && text != "null" {
		if out.Port, err = strconv.Atoi(text); err != nil || out.Port < 0 || out.Port > 65535 {
			return ServerConfig{}, fmt.Errorf("%s: Port %s is not a port", file, text)
		}
	}
	if out.AllowedOrigins, err = origins(in.AllowedOrigins); err != nil {
		return ServerConfig{}, fmt.Errorf("%s: AllowedOrigins: %w", file, err)
	}
	return out, nil
}

func origins(raw json.RawMessage) (list []string, err error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	if json.Unmarshal(raw, &list) == nil {
		return list, nil
	}
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return nil, err
	}
	list = []string{}
	for _, o := range strings.Split(text, ",") {
		if o = strings.TrimSpace(o); o != "" {
			list = append(list, o)
		}
	}
	return list, nil
}

// Address returns listen with the port of the file, if it has one.
func (c ServerConfig) Address(listen string) string {
	host, _, err := net.SplitHostPort(listen)
	if c.Port == 0 || err != nil {
		return listen
	}
	return net.JoinHostPort(host, strconv.Itoa(c.Port))
}
