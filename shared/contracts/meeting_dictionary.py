"""
What the records of a meeting are compressed against: words that nearly each of them has, so that none has to carry them.

It belongs to the form of what is stored: one byte of it changed, and no record that was compressed against it opens. Another
dictionary is a second constant, with a new version of the records. What is most common stands last (RFC 1950 §2.2, and
https://docs.python.org/3/library/zlib.html#zlib.compressobj).
"""

MEETING_DICTIONARY = (
    b'"marks":{"r-":{"startMs":,"quiet":true,"declines":["d-"],"putAway":["m-"]}},"parked":true,"parkedBaseline":true,'
    b'"parkedUntilMs":17"outcome":"outcomeAtMs":17"awaiting":"d-"awaitingFromMs":17"letGo":1"follows":["d-"],"putAway":["m-"]'
    b'"outdatedUntilMs":17"unconfirmed":true"quiet":true,"repeats":{"a-":1},"earlier":1"answerGivenMs":17"beginsMs":17,"endsMs":17'
    b'"confirmedAtMs":17"word":{"startMs":17,"endMs":17,"answers":{"r-":"pending","r-":"declined"},"answered":{"r-":17},"seats":,'
    b'"sequence":,"observedAtMs":17,"baseline":true}"sight":"withdrawn""state":"gone","answer":"released""state":"unknown"'
    b'{"mailbox":"m-","provider":"google","role":"organizer","dates":[{"ref":"o-","eventId":"AAkALgAAAAAAHYQDEapmEc2byACqAC-EWg0A",'
    b'"rooms":["r-","r-"],"credible":false,"canChange":true}],"version":1,"~":"'
    b'{"provider":"microsoft","meeting":"m-","organizer":"p-","organizerMailbox":"m-","dates":[{"ref":"o-","startMs":17,"endMs":17,'
    b'"seats":6,"sequence":1,"speaker":"m-","inSight":true,"rooms":[{"room":"r-","state":"pending","answer":"declined","startMs":17,'
    b'"endMs":17,"askedAtMs":17,"answeredAtMs":17,"sinceMs":17},{"room":"r-","state":"accepted","answer":"accepted","startMs":17,'
    b'"endMs":17,"askedAtMs":17,"answeredAtMs":17,"answerGivenMs":17,"sinceMs":17}]}],"spoken":{"m-":17},"seenUntilMs":17,"version":1,"~":"'
)
