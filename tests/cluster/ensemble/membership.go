package ensemble

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"pando.test/cluster/client"
	pandov1 "pando.test/cluster/gen/pando/v1"
)

const changeTimeout = 30 * time.Second

// Join starts a new server with an empty disk, which asks to be let in. Once ready it is a learner.
func (e *Ensemble) Join() (*Member, error) {
	member, err := e.newMember(e.Members[len(e.Members)-1].ID + 1)
	if err != nil {
		return nil, err
	}
	var peers []string
	for _, other := range e.Running() {
		peers = append(peers, other.PeerAddress())
	}
	member.origin = "--join=" + strings.Join(peers, ",")
	e.Members = append(e.Members, member)
	e.publish()
	return member, member.Spawn()
}

// Promote makes a learner a voter, as soon as it has caught up.
func (e *Ensemble) Promote(id int) error {
	return e.change(fmt.Sprintf("promote server %d", id),
		func(ctx context.Context, service pandov1.ClusterServiceClient) error {
			_, err := service.PromoteMember(ctx, &pandov1.PromoteMemberRequest{Id: int64(id)})
			return err
		})
}

// Remove takes a member out; it is known no more to clients.
func (e *Ensemble) Remove(id int) error {
	err := e.change(fmt.Sprintf("remove server %d", id),
		func(ctx context.Context, service pandov1.ClusterServiceClient) error {
			_, err := service.RemoveMember(ctx, &pandov1.RemoveMemberRequest{Id: int64(id)})
			if client.Failed(err).Reason == "NO_NODE" {
				return nil // a repeat: the first try did it
			}
			return err
		})
	if err != nil {
		return err
	}
	var left []*Member
	for _, member := range e.Members {
		if member.ID != id {
			left = append(left, member)
			continue
		}
		member.client.Close()
		member.peer.Close()
	}
	e.Members = left
	e.publish()
	return nil
}

// Retire removes a member and stops it, in this order.
func (e *Ensemble) Retire(member *Member) error {
	if err := e.Remove(member.ID); err != nil {
		return err
	}
	return member.Kill()
}

// TransferLeadership hands over to a voter.
func (e *Ensemble) TransferLeadership(to int) error {
	return e.change(fmt.Sprintf("hand over to server %d", to),
		func(ctx context.Context, service pandov1.ClusterServiceClient) error {
			_, err := service.TransferLeadership(ctx, &pandov1.TransferLeadershipRequest{Id: int64(to)})
			return err
		})
}

// change repeats an order on one server after the other until it is done: all of them may be
// repeated.
func (e *Ensemble) change(what string,
	order func(context.Context, pandov1.ClusterServiceClient) error) error {
	var last error
	next := 0
	err := await(changeTimeout, what, func() (bool, error) {
		running := e.Running()
		service, err := e.service(running[next%len(running)])
		if err != nil {
			return false, err
		}
		next++
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		last = order(ctx, service)
		return last == nil, nil
	})
	if err != nil {
		return errors.Join(err, last)
	}
	return nil
}
