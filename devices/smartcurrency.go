package devices

import "context"

// SmartDataset is one dataset on the card of a Smart Currency validator.
type SmartDataset struct {
	Enabled       bool
	Country       string // three letters
	Code          string // eight characters, "GBP07057"
	Denominations int
}

// SmartCurrency is a validator with several datasets on a card (ssp.md §16.7; itl-rest.md ITL-66, 67). The bytes are the
// project's own: cash.ErrUnsupported unless the machine understands them (Core.Extended). The card's state shows as
// cash.StateSC….
type SmartCurrency interface {
	// SmartDatasets reads the list, in the order of the card. cash.ErrNothing without a card.
	SmartDatasets(ctx context.Context) ([]SmartDataset, error)
	// ActivateDataset makes another dataset the one in force. It returns when the machine has the command; the machine
	// then restarts with the new denominations. cash.ErrInvalid for a code that is not on the card, cash.ErrBusy while
	// a note is inside.
	ActivateDataset(ctx context.Context, code string) error
}
