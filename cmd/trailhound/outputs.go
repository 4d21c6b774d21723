package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"trailhound/agent/config"
	"trailhound/agent/event"
	"trailhound/outputs"
	"trailhound/outputs/csv"
	"trailhound/outputs/elasticsearch"
	"trailhound/outputs/format"
	"trailhound/outputs/logstash"
	"trailhound/outputs/maltrail"
	"trailhound/outputs/stdout"
	"trailhound/outputs/syslog"
)

// surroundings are what an output gets from the program.
type surroundings struct {
	identity *event.Identity
	log      *slog.Logger
	dial     func(ctx context.Context, network, address string) (net.Conn, error) // nil: package net's
	resolver *net.Resolver
	trails   func() time.Time // when the trails in use were made
	stdout   io.Writer
}

// makers make an output of each type. They check the output's part of the
// configuration and open nothing that others can see.
var makers = map[string]func(o *config.Output, env surroundings) (outputs.Output, error){
	"csv": func(o *config.Output, env surroundings) (outputs.Output, error) {
		opt, err := csv.Decode(o.Node)
		if err != nil {
			return nil, outputError(o, err)
		}
		opt.Identity, opt.Log = env.identity, env.log
		return csv.New(opt)
	},
	"stdout": func(o *config.Output, env surroundings) (outputs.Output, error) {
		var keys stdoutKeys
		if err := o.Decode(&keys); err != nil {
			return nil, err
		}
		width, tty := terminal(env.stdout)
		return stdout.New(env.stdout, stdout.Options{Format: keys.Format, Identity: env.identity,
			Layout: format.Options{Table: format.TableOptions{Width: width, Color: tty && os.Getenv("NO_COLOR") == ""}}})
	},
	"syslog": func(o *config.Output, env surroundings) (outputs.Output, error) {
		var keys syslog.Keys
		return decoded(o, &keys, func() (outputs.Output, error) {
			return syslog.New(keys, syslog.Env{Identity: env.identity, Log: env.log, Dial: env.dial, Resolver: env.resolver, Trails: env.trails})
		})
	},
	"logstash": func(o *config.Output, env surroundings) (outputs.Output, error) {
		var keys logstash.Keys
		return decoded(o, &keys, func() (outputs.Output, error) {
			return logstash.New(keys, logstash.Env{Identity: env.identity, Log: env.log, Dial: env.dial, Resolver: env.resolver})
		})
	},
	"elasticsearch": func(o *config.Output, env surroundings) (outputs.Output, error) {
		var keys elasticsearch.Keys
		return decoded(o, &keys, func() (outputs.Output, error) {
			return elasticsearch.New(keys, elasticsearch.Env{Identity: env.identity, Log: env.log, Dial: env.dial, Resolver: env.resolver})
		})
	},
	"maltrail": func(o *config.Output, env surroundings) (outputs.Output, error) {
		var keys maltrail.Keys
		return decoded(o, &keys, func() (outputs.Output, error) {
			return maltrail.New(keys, maltrail.Env{Identity: env.identity, Log: env.log, Dial: env.dial, Resolver: env.resolver})
		})
	},
}

// decoded reads the keys and makes the output of them. What it has to say
// against them is an error of the configuration; it is asked beside keys that are
// not known, too, so that one run names all that is wrong.
func decoded(o *config.Output, keys any, make func() (outputs.Output, error)) (outputs.Output, error) {
	unread := o.Decode(keys)
	if unread != nil && !onlyUnknown(unread) {
		return nil, unread
	}
	out, err := make()
	if err != nil {
		return nil, errors.Join(unread, outputError(o, err))
	}
	if unread != nil {
		return nil, errors.Join(unread, out.Close())
	}
	return out, nil
}

// onlyUnknown says whether all that is wrong are keys that are not known.
func onlyUnknown(err error) bool {
	switch err := err.(type) {
	case *config.Error:
		return err.Problem == config.UnknownKey
	case *config.Errors:
		return !slices.ContainsFunc(err.List, func(e *config.Error) bool { return e.Problem != config.UnknownKey })
	}
	return false
}

// stdoutKeys are the keys of a stdout output.
type stdoutKeys struct {
	Format string `key:"format" default:"json" oneof:"csv maltrail json cef table" doc:"format of the events"`
}

// localTypes write to this host only: events that a rule keeps local go there.
var localTypes = []string{"csv", "stdout"}

// outputTypes lists the types that an output may have: those that can be made,
// in the order in which an error names them.
func outputTypes() []string {
	return []string{"csv", "stdout", "syslog", "logstash", "elasticsearch", "maltrail"}
}

// newOutput makes the output of an entry.
func newOutput(o *config.Output, env surroundings) (outputs.Output, error) {
	make, ok := makers[o.Type]
	if !ok {
		return nil, fmt.Errorf("outputs of type %s are not in this version", o.Type)
	}
	return make(o, env)
}

// remaker makes an output anew when what ${file:} and ${cred:} bring into its
// entry is no longer what it was. The configuration in use stays what it is.
func remaker(o *config.Output, env surroundings) func() (outputs.Output, error) {
	return func() (outputs.Output, error) {
		next, changed, err := o.Renew()
		if err != nil || !changed {
			return nil, err
		}
		out, err := newOutput(next, env)
		if err == nil {
			o = next
		}
		return out, err
	}
}

// settingsOf takes what all outputs have from an entry.
func settingsOf(o *config.Output) (outputs.Settings, error) {
	set := outputs.Settings{Health: o.Health && o.Type != "maltrail", Local: slices.Contains(localTypes, o.Type), Batch: o.Batch, Timeout: o.Timeout,
		First: o.Retry.First, Most: o.Retry.Most, MaxRate: o.MaxRate}
	if set.Local {
		set.MaxRate = 0 // it keeps the receivers of a fleet from a flood: on this host it would only lose events
	}
	switch o.Filter.Severity {
	case "low":
		set.Filter.Severity = event.Low
	case "medium":
		set.Filter.Severity = event.Medium
	case "high":
		set.Filter.Severity = event.High
	}
	var all []error
	for _, t := range o.Filter.Types {
		typ := event.Type(strings.ToUpper(t))
		if !slices.Contains(event.Types(), typ) {
			all = append(all, outputError(o, fmt.Errorf("filter.types: %q is not a type of event", t)))
			continue
		}
		set.Filter.Types = append(set.Filter.Types, typ)
	}
	set.Filter.Codes, set.Filter.Networks = o.Filter.Codes, o.Filter.Networks
	if err := set.Filter.Check(); err != nil {
		all = append(all, outputError(o, fmt.Errorf("filter.%w", err)))
	}
	return set, errors.Join(all...)
}

// meant says whether an output is for this sensor, by its labels.
func meant(o *config.Output, labels map[string]string) bool {
	for key, want := range o.Filter.Labels {
		if labels[key] != want {
			return false
		}
	}
	return true
}

// checkOutputs checks each output's own part, as far as it could be read.
func checkOutputs(c *config.Config) error {
	var all []error
	for i := range c.Outputs {
		o := &c.Outputs[i]
		if o.Name == "" {
			continue
		}
		if _, err := settingsOf(o); err != nil {
			all = append(all, err)
		}
		if _, ok := makers[o.Type]; !ok || !o.Whole() {
			continue // which was said
		}
		out, err := newOutput(o, surroundings{identity: &event.Identity{}, log: slog.New(slog.DiscardHandler), stdout: io.Discard})
		if err != nil {
			all = append(all, err)
			continue
		}
		out.Close()
	}
	return errors.Join(all...)
}

// outputError says where in the configuration an output's own error is, or each
// of several that are joined. The output's package knows the line and column, if
// any; the entry knows its file.
func outputError(o *config.Output, err error) error {
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		var all []error
		for _, err := range many.Unwrap() {
			all = append(all, outputError(o, err))
		}
		return errors.Join(all...)
	}
	e := &config.Error{Key: "outputs." + o.Name, Problem: err.Error()}
	_, at, _ := strings.Cut(o.String(), " at ") // "outputs.NAME at FILE:LINE:COLUMN"
	where := strings.Split(at, ":")
	if len(where) < 3 {
		return e
	}
	n := len(where) - 2
	e.File = strings.Join(where[:n], ":")
	e.Line, _ = strconv.Atoi(where[n])
	e.Column, _ = strconv.Atoi(where[n+1])
	if own := strings.SplitN(e.Problem, ":", 3); len(own) == 3 {
		line, lineErr := strconv.Atoi(own[0])
		column, columnErr := strconv.Atoi(own[1])
		if lineErr == nil && columnErr == nil {
			e.Line, e.Column, e.Problem = line, column, strings.TrimSpace(own[2])
		}
	}
	return e
}
