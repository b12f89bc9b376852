package desk

import "bungalow/hooks/kit/desk"

// shown is a card with its figure.
type shown struct {
	desk.Card
	*desk.Figure
}

// overview greets with what waits.
func overview(e *desk.Event) error {
	var cards []shown
	for _, card := range desk.Of(e.App).Cards(e.Auth) {
		figure, err := card.Do(e.App, e.Auth)
		if err != nil {
			return err
		}
		if figure != nil {
			cards = append(cards, shown{card, figure})
		}
	}
	return e.Render("desk/shell/overview.html", e.T("Overview"), cards)
}
