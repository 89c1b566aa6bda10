package ensemble

import (
	"fmt"
	"path/filepath"
)

// Stranger starts a server of another ensemble, with this member's id, at this member's peer
// address. The member must not run. Stop the stranger before the member starts again.
func (m *Member) Stranger() (*Member, error) {
	name := fmt.Sprintf("stranger-%d", m.ID)
	stranger := &Member{
		ID:       m.ID,
		DataDir:  filepath.Join(m.ensemble.folder, name),
		Log:      filepath.Join(m.ensemble.folder, name+".log"),
		ensemble: m.ensemble,
		binary:   m.binary,
		peer:     m.peer,
	}
	var err error
	// Clients do not find it: they would have to name their cluster in each call.
	if stranger.client, err = m.ensemble.Network.NewFront(m.ID); err != nil {
		return nil, err
	}
	return stranger, stranger.Start()
}
