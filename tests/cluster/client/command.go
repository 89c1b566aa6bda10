package client

import (
	"context"
	"strconv"

	pandov1 "pando.test/cluster/gen/pando/v1"
	"pando.test/cluster/history"
)

// Run sends the command once. A failure that Decided has its Answer.
func Run(ctx context.Context, tree pandov1.TreeServiceClient, header *pandov1.RequestHeader,
	command history.Command) (history.Answer, int, error) {
	var answer history.Answer
	var server int64
	var err error
	if command.Transaction {
		answer, server, err = transact(ctx, tree, header, command)
	} else {
		answer, server, err = call(ctx, tree, header, command.Group, command.Then[0])
	}
	if err == nil {
		return answer, int(server), nil
	}
	failure := Failed(err)
	answer = history.Answer{Reason: failure.Reason}
	if command.Transaction {
		answer.FailedStep, _ = strconv.Atoi(failure.Metadata["failed_operation"])
	}
	return answer, 0, err
}

func call(ctx context.Context, tree pandov1.TreeServiceClient, header *pandov1.RequestHeader,
	group int, step history.Step) (history.Answer, int64, error) {
	path := history.RegisterPath(group, step.Register)
	one := func(header *pandov1.ResponseHeader, left history.Register) (history.Answer, int64, error) {
		return history.Answer{
			Revision: header.Revision, ComparedTrue: true, Results: []history.Register{left},
		}, header.ServerId, nil
	}
	switch step.Kind {
	case history.Get:
		got, err := tree.Get(ctx, &pandov1.GetRequest{Header: header, Path: path})
		if err != nil {
			return history.Answer{}, 0, err
		}
		return one(got.Header, register(got.Stat, string(got.Data)))
	case history.Set:
		set, err := tree.Set(ctx, &pandov1.SetRequest{
			Header: header, Path: path, Data: []byte(step.Value), ExpectedVersion: expected(step)})
		if err != nil {
			return history.Answer{}, 0, err
		}
		return one(set.Header, register(set.Stat, step.Value))
	case history.Create:
		created, err := tree.Create(ctx, &pandov1.CreateRequest{
			Header: header, Path: path, Data: []byte(step.Value)})
		if err != nil {
			return history.Answer{}, 0, err
		}
		return one(created.Header, register(created.Stat, step.Value))
	default:
		deleted, err := tree.Delete(ctx, &pandov1.DeleteRequest{
			Header: header, Path: path, ExpectedVersion: expected(step)})
		if err != nil {
			return history.Answer{}, 0, err
		}
		return one(deleted.Header, history.Register{})
	}
}

func transact(ctx context.Context, tree pandov1.TreeServiceClient, header *pandov1.RequestHeader,
	command history.Command) (history.Answer, int64, error) {
	request := &pandov1.TransactRequest{Header: header}
	for _, compare := range command.Compares {
		request.Compares = append(request.Compares, compares(command.Group, compare)...)
	}
	for _, step := range command.Then {
		request.ThenOperations = append(request.ThenOperations, operation(command.Group, step))
	}
	for _, step := range command.Else {
		request.ElseOperations = append(request.ElseOperations, operation(command.Group, step))
	}
	response, err := tree.Transact(ctx, request)
	if err != nil {
		return history.Answer{}, 0, err
	}
	answer := history.Answer{
		Revision:      response.Header.Revision,
		ComparedTrue:  response.ComparedTrue,
		ValuesOmitted: response.DataOmitted,
	}
	steps := command.Then
	if !response.ComparedTrue {
		steps = command.Else
	}
	for i, result := range response.Results {
		switch r := result.Result.(type) {
		case *pandov1.TransactResult_Get:
			answer.Results = append(answer.Results, register(r.Get.Stat, string(r.Get.Data)))
		case *pandov1.TransactResult_Set:
			answer.Results = append(answer.Results, register(r.Set.Stat, steps[i].Value))
		case *pandov1.TransactResult_Create:
			answer.Results = append(answer.Results, register(r.Create.Stat, steps[i].Value))
		default:
			answer.Results = append(answer.Results, history.Register{})
		}
	}
	return answer, response.Header.ServerId, nil
}

func compares(group int, compare history.Compare) []*pandov1.Compare {
	path := history.RegisterPath(group, compare.Register)
	equal := func(subject pandov1.CompareSubject, number int64) *pandov1.Compare {
		return &pandov1.Compare{Path: path, Subject: subject,
			Relation: pandov1.CompareRelation_COMPARE_RELATION_EQUAL, Number: number}
	}
	if !compare.Exists {
		return []*pandov1.Compare{equal(pandov1.CompareSubject_COMPARE_SUBJECT_EXISTS, 0)}
	}
	return []*pandov1.Compare{
		equal(pandov1.CompareSubject_COMPARE_SUBJECT_EXISTS, 1),
		equal(pandov1.CompareSubject_COMPARE_SUBJECT_VERSION, compare.Version)}
}

func operation(group int, step history.Step) *pandov1.TransactOperation {
	path := history.RegisterPath(group, step.Register)
	switch step.Kind {
	case history.Get:
		return &pandov1.TransactOperation{Operation: &pandov1.TransactOperation_Get{
			Get: &pandov1.GetRequest{Path: path}}}
	case history.Set:
		return &pandov1.TransactOperation{Operation: &pandov1.TransactOperation_Set{
			Set: &pandov1.SetRequest{
				Path: path, Data: []byte(step.Value), ExpectedVersion: expected(step)}}}
	case history.Create:
		return &pandov1.TransactOperation{Operation: &pandov1.TransactOperation_Create{
			Create: &pandov1.CreateRequest{Path: path, Data: []byte(step.Value)}}}
	default:
		return &pandov1.TransactOperation{Operation: &pandov1.TransactOperation_Delete{
			Delete: &pandov1.DeleteRequest{Path: path, ExpectedVersion: expected(step)}}}
	}
}

func expected(step history.Step) *int64 {
	if step.Expected == history.AnyVersion {
		return nil
	}
	return &step.Expected
}

func register(stat *pandov1.Stat, value string) history.Register {
	return history.Register{
		Exists: true, Version: stat.Version, Modified: stat.ModifyRevision, Value: value}
}
