package ensemble

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// diskBytes is the size of a member's own disk: room for what a run writes, and quick to fill.
const diskBytes = 192 << 20

// MountDisks gives each member, before its first start, a file system of its own: a tmpfs. That
// takes root, at least of a user namespace.
func (e *Ensemble) MountDisks() error {
	for _, member := range e.Members {
		disk := filepath.Join(e.folder, fmt.Sprintf("disk-%d", member.ID))
		if err := os.Mkdir(disk, 0o755); err != nil {
			return err
		}
		options := fmt.Sprintf("size=%d", diskBytes)
		if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, options); err != nil {
			return fmt.Errorf("mount a tmpfs on %s: %w", disk, err)
		}
		member.disk, member.DataDir = disk, filepath.Join(disk, "data")
	}
	return nil
}

// FillDisk leaves so many bytes of a member's own disk free, or fewer.
func (m *Member) FillDisk(leave int64) error {
	file, err := os.OpenFile(m.filler(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer file.Close()
	block := make([]byte, 64<<10)
	for {
		var space syscall.Statfs_t
		if err := syscall.Statfs(m.disk, &space); err != nil {
			return err
		}
		if int64(space.Bavail)*space.Bsize <= leave {
			return nil
		}
		if _, err := file.Write(block); errors.Is(err, syscall.ENOSPC) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// FreeDisk takes back what FillDisk took.
func (m *Member) FreeDisk() error { return os.Remove(m.filler()) }

func (m *Member) filler() string { return filepath.Join(m.disk, "filler") }

// unmountDisk ends a member's own disk, if it has one.
func (m *Member) unmountDisk() error {
	if m.disk == "" {
		return nil
	}
	return syscall.Unmount(m.disk, 0)
}
