/**
 * The words that people use for symptoms, in the order in which they are tried: what is more special first, for "the other phones
 * keep ringing" speaks of ringing, and "no sound after the transfer" of a transfer. English and German, of a text as `plain` makes it.
 */
import type { Symptom } from './symptoms.ts';

export const WORDS: readonly (readonly [Symptom, readonly RegExp[]])[] = [
  [
    'ghost-calls',
    [
      /ghost|phantom|geister|scann|sipvicious|(nobody|no one|niemand|keiner) (is |ist )?(there|dran|on the line|speaks)|no caller/,
      /niemand (ist )?dran/,
      /middle of the night|mitten in der nacht|at night|nachts/,
      /(calls?|callers?) from (\w+ ){0,3}[1-9]0{2,}\d?\b|at \d ?am\b/,
      /(nummer|numbers?) [1-9]0{2,}\d?\b|(rings?|ringing) (all )?by itself|klingel\w* von (allein|selbst)/,
      /(strange|unknown|random|anonym\w*|weird|fake|hack\w*|spam|spoofed) (numbers?|calls?|callers?)/,
    ],
  ],
  [
    'others-ring-on',
    [
      /(keep|kept|continu|carry|carries|goes|go|still|not stop|cant stop)\w*( on)?( to)? ?(the )?ring|ring(s|ing)? on\b/,
      /answered elsewhere|ringing not stop/,
      /ring\w* (after|although|even|though|when|while|once)\b.*(answer|pick)|(answer|pick)\w*.* (still|keep|continu)\w* ring/,
      /other \w+ (still )?ring for/,
      /(klingel|läute|bimmel)\w* (\w+ ){0,3}(weiter|noch)\b|weiter(klingel|läut)|auf zu (klingel|läut)/,
    ],
  ],
  [
    'first-phone-only',
    [
      /(only|just) (the |our |my )?(first|one|1|single) (of (the|our|my) )?(\w+ )?(phone|extension|handset|device|telefon)/,
      /only one works/,
      /(second|2nd|third|both|two|adding|zweite\w*) (of (the|our|my) )?(phone|extension|handset|device|telefon|gerät)/,
      /nur (das |ein |eines )?(erste\w* )?(telefon|gerät|apparat)|a second (phone|extension)/,
      /nur eine?s? (von|der) (\w+ )?\w*(telefon|gerät|apparat)|(zwei|beide) (telefone|geräte|apparate)\b/,
      /when (hers|his|theirs|the other( \w+)?) is (on|plugged|registered)/,
    ],
  ],
  [
    'drops-on-transfer',
    [
      /transfer|\brefer\b|forward\w* (a|the|my) call|hand\w* over (a|the)|pass\w* (a|the) call|weiterleit|weitergeleit/,
      /\b(hand|give)\w* (the|a|my) call|to a colleague|durch(ge)?stell|verbind\w* (zu|zum|zur|mit|an)\b|übergeb|übergib/,
      /verbind\w*verm|vermittel|weiterverbind|anruf verbind|rückfrage/,
    ],
  ],
  ['drops-on-hold', [/\b(un|off|on)?-?h[eo]ld\b|unhold|retriev|resum|makel|halten|gehalten|parked?\b|warteschleife|re-?invite/]],
  [
    'not-received',
    [
      /(nobody|no one|people|they|callers|customers|clients) (can |cant |not )*(reach|call|ring|phone) (me|us)/,
      /only (arrive|come|ring|work)s? .*after (a |the )?(re|power)|(?<!not )stops? ringing/,
    ],
  ],
  [
    'one-way-audio',
    [
      /one.?way|half.?duplex|\b(one|single|1) (side|direction|way|party|end)\b/,
      /only (one|i|they|he|she|we) (side )?(can )?hears?/,
      /(not|cant|nobody|no one)( can)? hears? (me|us|my|our|them|him|her|the \w+)|hears? (me|us|them|him|her)\b.*(but|not|cant)/,
      /they hear nothing|(party|end|side|caller|callee) (not|cant) hear/,
      /(no|only) (inbound|outbound|incoming|outgoing|return) (audio|sound|voice)|einseitig/,
      /nur (eine |in eine )?(richtung|seite)/,
      /nur (ich|er|sie|wir) hör|hör\w* (mich|uns) nicht|hör\w* (den|die|ihn|sie|mein\w*) .*nicht|hör\w* (ihn|sie) nicht/,
      /mich (hört )?(niemand|keiner)|nichts .*hört (mich|uns)\b|hört (mich|uns)\b.* nichts/,
    ],
  ],
  [
    'no-audio',
    [
      /no (audio|sound|voice|speech|media|rtp)\b|without (audio|sound)/,
      /(audio|sound|voice|ton|sprache) (is |was )?(missing|gone|fehlt|weg)|silen(ce|t)\b|dead air/,
      /(not|cant) hear (anything|each other|anyone|any|a thing)|hears? (nothing|anything)|nobody hears|\bmute/,
      /pick\w* up (\w+ )?nothing|answer (and )?nothing|totenst|versteh\w* niemand/,
      /kein(en|e)? (ton|audio|sprache|sound)|stumm|hör\w* (gar |man )?nichts|hört sich nicht|nichts zu hören|stille/,
    ],
  ],
  [
    'choppy',
    [
      /chop|jitter|stutter|robot|garbl|crackl|distort|break(s|ing)? (up|voice)|(bad|poor) (audio|voice|sound)|gaps?\b/,
      /(voice|audio) (is |was )?cutting|quality|lag(s|gy)?\b|delay|\blate\b|latency|\becho|metallic|packet loss|underwater/,
      /(audio|voice|sound|speech)( \w+)? (drops?|cuts?|cutting) ?(in and )?out|drop-?outs\b|cuts? in and out/,
      /words? (are |is )?missing|every (other|second) word|jedes zweite wort|zerhackt/,
      /sounds? (terrible|awful|horrible|bad|like)|setzt (\w+ ){0,3}aus\b|klingt (\w+ )?(wie|schlecht|furchtbar|schlimm)/,
      /abgehackt|stotter|verzerr|blechern|aussetzer|knack|rausch|verzöger|verspätet|hackt|ruckel|qualität/,
    ],
  ],
  [
    'registration-lost',
    [
      /(un|de|re-?)regist|regist\w*.{0,25}(lost|lose|fail|expir|time|drop|verl|weg|every|gone|disappear|refus|reject|40\d)/,
      /(los\w*|fail\w*|not|cant|keeps?|verlier\w*|nicht|no) (\w+ ){0,2}(regist|angemeldet|anmeld)|^regist\w+$|offline/,
      /not (logged|online)|\blogin/,
      /registrierung.*(schlägt|bricht|geht|fehl)|meldet sich ab|abgemeldet|anmeldung|account (is )?(down|lost|failed)/,
      /\b40[138]\b|no service\b(?! .*call)|no line\b|kein(en)? dienst|trunk\b.*(down|lost|offline|unreachable|fail|weg|not)/,
    ],
  ],
  [
    'cannot-call-out',
    [/calls? (always )?fails? (with|at once|immediately|instantly)|\b(48[068]|50[0-9])\b.* (when )?(calling|dialing|dial|call)|ausgehend/],
  ],
  [
    'drops-after-time',
    [
      /kicked (out|off)|(fliege|fliegt|fliegen|geflogen) (\w+ ){0,2}raus|rausgeflogen|rausgeworfen/,
      /\b(drop|disconnect|hang|hung|terminat)\w*|\bcuts? (off|the|out)|\bget(s|ting)? cut/,
      /(line|call|connection)s? (goes|go|is|are|gets?) (dead|lost|gone)/,
      /abgebroch|abbruch|abbrüche|abbricht|\b(bricht|brechen|brach|reißt)\b|getrennt|aufgelegt|trennt\b|auflegt|legt .*auf\b/,
    ],
  ],
  ['cannot-call-out', [/outgoing|outbound|ausgehend|raus(tele|ruf|wähl)|anruf\w* (\w+ )?raus|calls out\b|calling (out|fails?|not)/]],
  [
    'not-received',
    [
      /(cant|not|no|never) (\w+ )?(receiv|get(ting)? (any )?calls|arriv|come|coming|ring|reach)|incoming|inbound/,
      /miss(ed|ing)? calls?|we miss|voice ?mail/,
      /anrufer (hör|bekomm|krieg|land|komm)\w*|(callers?|people) (hear|get) .*(busy|not available|unavailable|no answer)/,
      /zu erreichen|erreich\w* (mich|uns) nicht|unreachable|man kann (mich|uns) nicht/,
      /(nobody|no one|people|they|callers|customers|clients) (can |cant |not )*(reach|call|ring|phone) (me|us)/,
      /cant be (called|reached)/,
      /\bnot in\b|only rings? (\w+ )?after|(anruf\w*|gespräch\w*) (kommen|kommt|erreich\w*|gehen) (\w+ )?(nicht|kein)/,
      /nicht (erreichbar|angerufen)/,
      /eingehend|ankommend|keine? anruf|klingel\w* (\w+ ){0,3}(nicht|nie)\b|mailbox/,
    ],
  ],
  [
    'cannot-call-out',
    [
      /(cant|not|no) (\w+ )?(make|place|dial|start|call|phone|ring out)|outgoing|outbound|dial|fast busy/,
      /call (setup )?(fails?|not)|\binvite\b/,
      /call(ing)? out\b|but not out|rufaufbau|ausgehend|nicht (raus|hinaus|nach draußen)/,
      /(kann|können|keine\w*) .*(anrufen|telefonieren|wählen)|anrufen geht|wenn (ich|wir) (wähl|anruf)|komme\w* nicht raus/,
    ],
  ],
  [
    'drops-after-time',
    [
      /(calls?|line|connection|it) .*\b(ends?|dies?|stops?|lost|lasts?|gone|fails?|ended)\b/,
      /(gespräch|anruf|verbindung|telefonat|leitung)\w* .*\b(weg|tot|enden|endet|beendet)\b/,
      /mid.?call|(gesprächs|verbindungs|anruf)s?abbr|\d ?(s|sec\w*|min\w*|sek\w*|h)\b.*\b(gone|weg|dead|tot|over|vorbei|aus)\b/,
    ],
  ],
];

/** In lower case, and every way to say that something is not, or cannot be, is one. */
export const plain = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[’`´']/g, '')
    .replace(/[\s,;.!?:]+/g, ' ')
    .replace(/\b(can ?not|cant|could not|couldnt|unable to|not able to)\b/g, 'cant')
    .replace(/\b(do|does|did|will|is|are|was|have|has) not\b|\b(dont|doesnt|didnt|wont|isnt|arent|never|hasnt|havent)\b/g, 'not')
    .replace(/\b(no longer|not any ?more)\b/g, 'not')
    .replace(/\bnicht mehr\b/g, 'nicht')
    .trim();
