package pandod

import "net"

// Ports finds addresses on loopback, and gives none of them twice: a server that is slow to listen
// would share its port with the next (gRPC sets SO_REUSEPORT). For one goroutine.
type Ports struct {
	given map[string]bool
}

func NewPorts() *Ports { return &Ports{given: map[string]bool{}} }

// Free are addresses that nobody listens on now.
func (p *Ports) Free(count int) ([]string, error) {
	var addresses []string
	for len(addresses) < count {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		address := listener.Addr().String()
		listener.Close()
		if !p.given[address] {
			p.given[address] = true
			addresses = append(addresses, address)
		}
	}
	return addresses, nil
}
