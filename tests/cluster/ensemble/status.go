package ensemble

import (
	"context"
	"fmt"
	"time"

	pandov1 "pando.test/cluster/gen/pando/v1"
)

const (
	leaderTimeout   = 15 * time.Second
	convergeTimeout = 30 * time.Second
	askTimeout      = time.Second
)

func (e *Ensemble) service(member *Member) (pandov1.ClusterServiceClient, error) {
	connection, err := e.pool.Get(member.ClientAddress())
	return pandov1.NewClusterServiceClient(connection), err
}

// status is nil if the member does not answer.
func (e *Ensemble) status(member *Member) *pandov1.StatusResponse {
	service, err := e.service(member)
	if err != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
	defer cancel()
	status, err := service.Status(ctx, &pandov1.StatusRequest{})
	if err != nil {
		return nil
	}
	return status
}

// Leader is who leads by its own word and by that of a majority of the `voters`. It waits until
// there is one.
func (e *Ensemble) Leader() (*Member, error) {
	var leader *Member
	err := await(leaderTimeout, "a majority knows a leader", func() (bool, error) {
		followers := map[int64]int{}
		terms := map[int64]int64{}
		voters := 0
		for _, member := range e.Running() {
			status := e.status(member)
			if status == nil || status.LeaderId == 0 {
				continue
			}
			voters = max(voters, votersOf(status))
			followers[status.LeaderId]++
			if status.LeaderId == int64(member.ID) {
				terms[status.LeaderId] = status.Header.Term
			}
		}
		for id, count := range followers {
			if _, itself := terms[id]; itself && 2*count > voters {
				leader = e.Member(int(id))
				return true, nil
			}
		}
		return false, nil
	})
	return leader, err
}

func votersOf(status *pandov1.StatusResponse) int {
	voters := 0
	for _, member := range status.Members {
		if member.Role != pandov1.ServerRole_SERVER_ROLE_LEARNER {
			voters++
		}
	}
	return voters
}

// AwaitAnotherLeader waits until a majority follows somebody else.
func (e *Ensemble) AwaitAnotherLeader(than *Member) error {
	what := fmt.Sprintf("a majority follows another leader than server %d", than.ID)
	return await(leaderTimeout, what, func() (bool, error) {
		leader, err := e.Leader()
		return leader != than, err
	})
}

// AwaitLeaderless waits until a member knows of no leader.
func (e *Ensemble) AwaitLeaderless(member *Member) error {
	what := fmt.Sprintf("server %d knows of no leader", member.ID)
	return await(leaderTimeout, what, func() (bool, error) {
		status := e.status(member)
		return status != nil && status.LeaderId == 0, nil
	})
}

// Term is the newest one that a member knows of.
func (e *Ensemble) Term(member *Member) (int64, error) {
	var term int64
	what := fmt.Sprintf("server %d says its term", member.ID)
	err := await(leaderTimeout, what, func() (bool, error) {
		status := e.status(member)
		if status == nil {
			return false, nil
		}
		term = status.Header.Term
		return true, nil
	})
	return term, err
}

// Followers are the running members that do not lead.
func (e *Ensemble) Followers() ([]*Member, error) {
	leader, err := e.Leader()
	if err != nil {
		return nil, err
	}
	var followers []*Member
	for _, member := range e.Running() {
		if member != leader {
			followers = append(followers, member)
		}
	}
	return followers, nil
}

// AwaitConverged waits until all running members have applied the same and have the same digest.
// Nobody may write meanwhile.
func (e *Ensemble) AwaitConverged() error {
	var last string
	err := await(convergeTimeout, "all members are at one revision", func() (bool, error) {
		digests := map[int64]uint64{}
		last = ""
		complete := true
		for _, member := range e.Running() {
			digest := e.digest(member)
			if digest == nil {
				last += fmt.Sprintf(" %d: no answer", member.ID)
				complete = false
				continue
			}
			last += fmt.Sprintf(" %d: %d", member.ID, digest.Revision)
			if other, known := digests[digest.Revision]; known && other != digest.Digest {
				return false, fmt.Errorf("at revision %d, server %d has digest %#x, another %#x",
					digest.Revision, member.ID, digest.Digest, other)
			}
			digests[digest.Revision] = digest.Digest
		}
		return complete && len(digests) == 1, nil
	})
	if err != nil {
		return fmt.Errorf("%w (%s )", err, last)
	}
	return nil
}

func (e *Ensemble) digest(member *Member) *pandov1.DigestResponse {
	service, err := e.service(member)
	if err != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
	defer cancel()
	digest, err := service.Digest(ctx, &pandov1.DigestRequest{})
	if err != nil {
		return nil
	}
	return digest
}

// AwaitAddress waits until the membership says, on all running members, where a member is.
func (e *Ensemble) AwaitAddress(moved *Member) error {
	what := fmt.Sprintf("server %d is known to be at %s", moved.ID, moved.PeerAddress())
	return await(convergeTimeout, what, func() (bool, error) {
		for _, member := range e.Running() {
			status := e.status(member)
			if status == nil {
				return false, nil
			}
			for _, row := range status.Members {
				if row.Id == int64(moved.ID) && row.Addresses.Peer != moved.PeerAddress() {
					return false, nil
				}
			}
		}
		return true, nil
	})
}
