package receive

import (
	"regexp"
	"strings"
)

// The words with which mail programs introduce what they quote, in the
// languages of their makers. They are data, not style.
var (
	wrote = regexp.MustCompile(`(?i)(^|[\s>,;"')])(wrote|writes|schrieb|a écrit|escribió|ha scritto|schreef|escreveu|skrev|napisał|napisała|napisał\(a\)|napsal|napsala|napísal|írta|kirjoitti|пишет|написал|написала|napisao|a scris|yazdı|écrit|hat geschrieben|на писа)\s*[:：]?\s*$`)
	// addressEnd ends a line that names a time and a person and no verb.
	addressEnd = regexp.MustCompile(`<[^<>\s]+@[^<>\s]+>\s*[:：]\s*$`)
	// began is how the first line of an introduction begins.
	began  = regexp.MustCompile(`(?i)^\s*(on|am|le|el|il|op|em|den|dnia|w dniu|på|kl\.?|\d|(mon|tues?|wednes|thurs?|fri|satur|sun)(day)?\b|(ma|ti|ke|to|pe|la|su)\s|(lun|mar|mer|jeu|ven|sam|dim)[a-z]*\b|(po|út|st|čt|pá|so|ne)\s)`)
	digits = regexp.MustCompile(`\d.*\d`)

	fromKey   = regexp.MustCompile(`(?i)^[\s>*]*(from|de|von|da|van|fra|från|od|lähettäjä|от|feladó|gönderen|message du)\s*\*?\s*[:：]`)
	headerKey = regexp.MustCompile(`(?i)^[\s>*]*(from|sent|date|to|cc|subject|reply-to|de|envoyé(\s+le)?|à|a|objet|sujet|copie à|von|gesendet|datum|an|betreff|da|inviato|data|oggetto|van|verzonden|aan|onderwerp|fra|sendt|dato|til|emne|från|skickat|till|ämne|od|do|temat|para|enviado|asunto|assunto|lähettäjä|от|feladó|gönderen|message du)\s*\*?\s*[:：]`)
	rule      = regexp.MustCompile(`^\s*[-_=*]{3,}\s*$`)
	banner    = regexp.MustCompile(`^[\s>]*-{2,}\s*([\pL' ]{3,40})\s*-{2,}\s*$`)
	forwarded = regexp.MustCompile(`(?i)forward|weitergeleitet|transféré|reenviado|inoltrato|doorgestuurd|encaminhada|videresend`)
	device    = regexp.MustCompile(`(?i)^\s*(sent from (my|an?) |envoyé (de|depuis) mon |von meinem .{2,30} gesendet|gesendet von |enviado desde |enviado do meu |inviato da |verzonden (vanaf|met) |get outlook for |sent with )`)
	signature = regexp.MustCompile(`^(--|__|—|– –)\s*$`)
)

const maxSignature = 25 // lines

// Split parts a text into what its sender wrote and what the mail program
// repeated, signature included. Where the sender wrote between or below the
// quoted lines, everything is what was written.
func Split(text string) (reply, quoted string) {
	lines := strings.Split(text, "\n")
	at := len(lines)
	written := writtenFrom(lines)
	for i := range lines {
		if startsQuote(lines, i, written) {
			at = i
			break
		}
	}
	at = beforeSignature(lines, at)
	reply = strings.TrimSpace(strings.Join(lines[:at], "\n"))
	quoted = strings.Trim(strings.Join(lines[at:], "\n"), "\n")
	if reply == "" { // a forwarded mail, or an answer below what it quotes
		return strings.TrimSpace(text), ""
	}
	return reply, quoted
}

// startsQuote reports whether everything from this line on is quoted.
func startsQuote(lines []string, i int, written []bool) bool {
	l := lines[i]
	switch {
	case strings.TrimSpace(l) == "":
		return false
	case isQuoted(l):
		return !written[i]
	case device.MatchString(l) && len(l) < 80:
		return true
	case banner.MatchString(l):
		return !forwarded.MatchString(l) && i+1 < len(lines)
	case rule.MatchString(l):
		next := nextText(lines, i+1)
		return next >= 0 && next-i <= 3 && isHeaderBlock(lines, next)
	case isHeaderBlock(lines, i):
		return true
	}
	if n := introduction(lines, i); n > 0 {
		next := nextText(lines, i+n)
		return next < 0 || !isQuoted(lines[next]) || !written[next]
	}
	return false
}

func isQuoted(l string) bool { return strings.HasPrefix(strings.TrimLeft(l, " \t"), ">") }

func nextText(lines []string, i int) int {
	for ; i < len(lines); i++ {
		if strings.TrimSpace(lines[i]) != "" {
			return i
		}
	}
	return -1
}

// introduction gives how many lines from i on introduce a quotation ("On …,
// … wrote:"), or 0. Programs break long ones, so up to four lines are one.
func introduction(lines []string, i int) int {
	if !began.MatchString(lines[i]) {
		l := lines[i]
		if len(l) < 300 && wrote.MatchString(l) && (strings.Contains(l, "@") || digits.MatchString(l)) {
			return 1
		}
		return 0
	}
	joined := ""
	for n := 0; n < 4 && i+n < len(lines); n++ {
		l := strings.TrimSpace(lines[i+n])
		if l == "" || n > 0 && began.MatchString(l) && wrote.MatchString(l) && (strings.Contains(l, "@") || digits.MatchString(l)) && !startsWithDigitOrAddress(l) {
			return 0 // a better one begins further down
		}
		if joined = strings.ReplaceAll(joined+" "+l, "< ", "<"); len(joined) > 400 {
			return 0
		}
		if wrote.MatchString(joined) && (digits.MatchString(joined) || strings.Contains(joined, "@")) {
			return n + 1
		}
		if addressEnd.MatchString(joined) && digits.MatchString(joined) {
			return n + 1
		}
	}
	return 0
}

func startsWithDigitOrAddress(l string) bool {
	return l != "" && (l[0] >= '0' && l[0] <= '9' || l[0] == '<')
}

// isHeaderBlock reports whether a copied header begins at line i: a From and at
// least one more field within the next lines.
func isHeaderBlock(lines []string, i int) bool {
	if !fromKey.MatchString(lines[i]) || len(lines[i]) > 300 {
		return false
	}
	found := 0
	for _, l := range lines[i:min(i+7, len(lines))] {
		if headerKey.MatchString(l) {
			found++
		}
	}
	return found >= 3 || found == 2 && strings.Contains(lines[i], "@")
}

// writtenFrom says of each line whether the sender wrote something from there
// on. A line between quoted ones that lost its mark when it was wrapped stands
// without empty lines around it, and is not counted.
func writtenFrom(lines []string) []bool {
	written := make([]bool, len(lines)+1)
	for i := len(lines) - 1; i >= 0; i-- {
		l := lines[i]
		wrapped := i > 0 && isQuoted(lines[i-1]) && (i+1 == len(lines) || isQuoted(lines[i+1]))
		switch {
		case strings.TrimSpace(l) == "" || isQuoted(l) || wrapped:
			written[i] = written[i+1]
		case signature.MatchString(strings.TrimSpace(l)) || rule.MatchString(l):
			written[i] = len(lines)-i > maxSignature
		default:
			written[i] = true
		}
	}
	return written
}

// beforeSignature moves the end of what was written before a signature.
func beforeSignature(lines []string, at int) int {
	for i := max(0, at-maxSignature); i < at; i++ {
		if signature.MatchString(strings.TrimSpace(lines[i])) && nextText(lines, 0) < i {
			return i
		}
	}
	return at
}
