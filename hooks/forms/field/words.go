package field

// words are the sentences of the problems in English; %d and %s stand for the
// args in order. The theme translates them.
var words = map[string]string{
	CodeRequired:  "Please fill this in.",
	CodeConsent:   "Please tick this box to go on.",
	CodeEmail:     "Please write an e-mail address such as name@example.com.",
	CodeTel:       "Please write a telephone number in digits, with a + before the country at most.",
	CodeURL:       "Please write an address that begins with https:// or http://.",
	CodeNumber:    "Please write a number, with a point before the decimals.",
	CodeDate:      "Please write a date as year-month-day, such as 2027-03-31.",
	CodeOption:    "Please choose one of the options.",
	CodePattern:   "This does not have the form that is asked for.",
	CodeText:      "This has characters that can't be stored. Please write it anew.",
	CodeLines:     "Please write this on one line.",
	CodeTooShort:  "Please write at least %d characters.",
	CodeTooLong:   "Please write at most %d characters.",
	CodeLow:       "The smallest possible value is %s.",
	CodeHigh:      "The largest possible value is %s.",
	CodeFew:       "Please choose at least %d.",
	CodeMany:      "Please choose at most %d.",
	CodeOne:       "Only one answer is possible here.",
	CodeFileSize:  "This file is too large. %d MB is the most.",
	CodeFileType:  "This kind of file is not taken here. Possible are: %s.",
	CodeFileEmpty: "This file is empty.",
	CodeNoFile:    "Please send this as a file.",
	CodeUnknown:   "This form takes no file here.",
	CodeExtra:     "There is too much that this form did not ask for. At most %d other fields are kept.",
}

// Words is the problem's sentence in English, with %d and %s for the args.
func (p Problem) Words() string { return words[p.Code] }

// Sentences lists all of them, for who holds that they are translated.
func Sentences() []string {
	out := make([]string, 0, len(words))
	for _, w := range words {
		out = append(out, w)
	}
	return out
}
