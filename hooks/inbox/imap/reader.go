package imap

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// reader reads one mailbox over one connection.
type reader struct {
	cfg    Config
	client *imapclient.Client
	mark   Mark
	failed map[imap.UID]int
}

// begin goes on where the last connection stopped, or, in a mailbox that was
// never read, takes what is new and unread.
func (r *reader) begin(data *imap.SelectData) error {
	mark, err := r.cfg.Load()
	if err != nil {
		return fmt.Errorf("find how far the mailbox was read: %w", err)
	}
	if mark.Validity == data.UIDValidity {
		r.mark = mark
		return nil
	}
	found, err := r.client.UIDSearch(&imap.SearchCriteria{
		NotFlag: []imap.Flag{imap.FlagSeen}, Since: time.Now().Add(-past),
	}, nil).Wait()
	if err != nil {
		return fmt.Errorf("look for unread mail: %w", err)
	}
	uids := found.AllUIDs()
	slices.Sort(uids)
	for _, uid := range uids {
		if err := r.take(uid); err != nil {
			return err
		}
	}
	last := uint32(0)
	if data.UIDNext > 0 {
		last = uint32(data.UIDNext) - 1
	}
	if len(uids) > 0 {
		last = max(last, uint32(uids[len(uids)-1]))
	}
	return r.save(Mark{Validity: data.UIDValidity, Last: last})
}

func (r *reader) save(m Mark) error {
	if err := r.cfg.Save(m); err != nil {
		return fmt.Errorf("note how far the mailbox was read: %w", err)
	}
	r.mark = m
	return nil
}

// look takes what came after the mark. It reports true where it should look
// again soon: a mail came, or one could not be stored.
func (r *reader) look(ctx context.Context) (soon bool, err error) {
	after := imap.UIDSet{}
	after.AddRange(imap.UID(r.mark.Last+1), 0)
	found, err := r.client.UIDSearch(&imap.SearchCriteria{UID: []imap.UIDSet{after}}, nil).Wait()
	if err != nil {
		return false, fmt.Errorf("look for mail: %w", err)
	}
	uids := found.AllUIDs()
	slices.Sort(uids)
	for _, uid := range uids {
		if uint32(uid) <= r.mark.Last || ctx.Err() != nil { // "n:*" always finds the last one
			continue
		}
		soon = true
		if err := r.take(uid); err != nil {
			if r.failed[uid]++; r.failed[uid] < tries {
				r.cfg.Log.Warn("a mail of the mailbox could not be stored; it is tried again", "error", err)
				return true, nil
			}
			return false, err
		}
		if err := r.save(Mark{Validity: r.mark.Validity, Last: uint32(uid)}); err != nil {
			return false, err
		}
	}
	return soon, ctx.Err()
}

// take stores one mail and marks it as seen.
func (r *reader) take(uid imap.UID) error {
	size, err := r.size(uid)
	if err != nil || size < 0 { // deleted meanwhile
		return err
	}
	section := &imap.FetchItemBodySection{Peek: true}
	if size > r.cfg.MaxBytes { // its header at least
		section.Specifier = imap.PartSpecifierHeader
	}
	list, err := r.client.Fetch(imap.UIDSetNum(uid), &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{section}}).Collect()
	if err != nil {
		return fmt.Errorf("fetch a mail: %w", err)
	}
	for _, m := range list {
		for _, body := range m.BodySection {
			raw := body.Bytes
			if size > r.cfg.MaxBytes {
				raw = append(raw, "\r\nThis mail was larger than the inbox takes. It is still in the mailbox.\r\n"...)
			}
			if err := r.cfg.Deliver(raw); err != nil && !errors.Is(err, ErrNever) {
				return err
			}
		}
	}
	flags := &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagSeen}, Silent: true}
	if err := r.client.Store(imap.UIDSetNum(uid), flags, nil).Close(); err != nil {
		return fmt.Errorf("mark a mail as seen: %w", err)
	}
	return nil
}

// size is the mail's size in bytes, or -1 where it is gone.
func (r *reader) size(uid imap.UID) (int64, error) {
	list, err := r.client.Fetch(imap.UIDSetNum(uid), &imap.FetchOptions{UID: true, RFC822Size: true}).Collect()
	if err != nil {
		return 0, fmt.Errorf("fetch the size of a mail: %w", err)
	}
	if len(list) == 0 {
		return -1, nil
	}
	return list[0].RFC822Size, nil
}
