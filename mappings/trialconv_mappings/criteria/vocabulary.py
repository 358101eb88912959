"""The lists of words by which lines are read. What they do not hold is not guessed."""

from __future__ import annotations

from typing import Final

_PLAIN_WORDS: Final = """
a additional all an and are as basic common core criteria criterion detailed eligibility essential following
follows for full further general generally global important in include includes including is key main major
of other overall primary principal research select selected some specific study summary the this trial
"""
#: Words that say nothing of whom the criteria below a heading hold for.
PLAIN: Final = frozenset(_PLAIN_WORDS.split())

_PEOPLE_WORDS: Final = """
individual individuals participant participants patient patients person persons subject subjects
"""
#: Words that only name people.
PEOPLE: Final = frozenset(_PEOPLE_WORDS.split())

_FRAME_WORDS: Final = """
 above accordance also answers any applicable applies apply at based baseline be being below both by can
candidacy candidate candidates cases clinical condition conditions consideration considered consist consists
described disqualified disqualify do does each either eligible enrolled enrollment enrolment enter entered
entry established every everybody everyone exclude excluded exclusion from fulfil fulfill fulfilled
fulfilling fulfills fulfils has have having he her his if included inclusion ineligible into it items known lead
least listed may meet meeting meets met more must no none not on one only or order part participate
participating participation potential presence present prior prospective qualified qualify randomisation
randomised randomization randomized received recruited recruitment registered registration render required
requirement requirements satisfies satisfy screening selection shall she should since specifically specified
stated statements subjected take that their there these they those time to true visit was were when where
which who whom will with would yes
"""
#: Words of sentences that only introduce a list: with nothing else in it, a sentence is no criterion.
FRAME: Final = frozenset(_FRAME_WORDS.split()) | PLAIN | PEOPLE

_FRAMING_WORDS: Final = """
above answers below condition conditions criteria criterion disqualify eligible excluded exclusion following
fulfil fulfill fulfilling fulfills fulfils included inclusion ineligible meet meeting meets met must qualify
requirement requirements satisfies satisfy
"""
#: Words without which a line is no sentence that introduces a list: "Patients:" alone is a heading.
FRAMING: Final = frozenset(_FRAMING_WORDS.split())

_NEGATING_WORDS: Final = """
except neither never no none nor not unless without
"""
#: Words by which a heading says the opposite.
NEGATING: Final = frozenset(_NEGATING_WORDS.split())

_VERBS_WORDS: Final = """
according any applied applies apply are can could do does fulfil fulfill fulfilling had has have is may meet
meeting meets met must not per required should use used was were will would
"""
#: Words that make a sentence of a line.
VERBS: Final = frozenset(_VERBS_WORDS.split())

_TURNING_WORDS: Final = """
absence absent acceptable allowed cannot denies deny except excepting exception exceptions free ineligible
lack lacking neither never no none nor not permitted unless without
"""
#: Words by which a line may turn round the meaning of the list below it.
TURNING: Final = frozenset(_TURNING_WORDS.split())

_NOTHING_BEGINS: Final = (
    "None|none|NONE|Nil|nil|NIL|N/|n/|N.|n.|Not app|not app|NOT APP|There|there|No crit|No excl|No incl|"
    "No spec|No furt|No addi|No othe|no crit|no excl|no incl|no spec|no furt|no addi|no othe|NO crit|NO excl|"
    "NO incl|NO spec|NO furt|NO addi|NO othe|No specific|(none|(None|-|"
)
#: What lines begin with that may say that there is no criterion.
NOTHING_BEGINS: Final = tuple(word for word in _NOTHING_BEGINS.split("|") if word)

_NOTE_BEGINS: Final = (
    "Note|NOTE|note|N.B|NB|n.b|Remark|remark|REMARK|Comment|Please|PLEASE|(Note|(NOTE|[Note|Other |other |"
    "OTHER |Further|further|Additional|additional|More |For more|For add|For fur|*|\\*|_|†|[*|(*|There are|"
    "Key |Some |The info|The cri|The inc|The exc|The eli|The inv|The pri|The stu|"
)
#: What lines begin with that may be notes.
NOTE_BEGINS: Final = tuple(word for word in _NOTE_BEGINS.split("|") if word)

_COHORT_BEGINS: Final = (
    "Cohort|cohort|COHORT|Group|group|GROUP|Arm |Arms |arm |ARM |Part |part |PART |Parts |Phase |PHASE |Aim |"
    "Track |Sub-stu|Substud|SUBSTUD|sub-stu|substud|Case|case |cases|CASE|Control|control|CONTROL|Healthy|"
    "healthy|HEALTHY|Normal |normal |For coh|For gro|For arm|For par|For con|For cas|For hea|For the|For nor|"
    "For pha|For sub|For pat|For all|For wom|For men|For chi|For adu|For tho|For fem|For mal|For inf|For ado|"
    'In coho|In grou|In part|In the |The con|The coh|The gro|The cas|The hea|(|[|"|*|_|#|Recipient|recipient|'
    "Donor|donor|Caregiver|Partner|Population|Period |Only |only |Clinician|Provider|Parents|Families|-|"
)
#: What lines begin with that may be of some of the participants.
COHORT_BEGINS: Final = tuple(word for word in _COHORT_BEGINS.split("|") if word)

_INTRO_ENDS: Final = (
    "follows|follows.|:|\uff1a|:*|:**|:)|following|Following|FOLLOWING|following.|following)|criteria):|: |"
)
#: What lines end with that need what follows.
INTRO_ENDS: Final = tuple(word for word in _INTRO_ENDS.split("|") if word)
