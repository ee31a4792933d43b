"""The emulator's behaviour where nobody can know how the real Exchange behaves."""

from typing import Any

# What no test of ours can settle about the real Exchange, with its usual behaviour. Set each for the world or for one mailbox.
SWITCHES: dict[str, Any] = {
    "copy_delay": 0.0,  # seconds from 202 until the copy leaves the mailbox
    "drafts_delay": 1.0,  # seconds from 202 until the item moves from Drafts to Sent Items
    "leaves_drafts": True,  # False: it stays a draft forever
    "copy_leaves": True,  # False: accepted, but nothing ever leaves
    "sent_gap": 0.0,  # seconds during which the item is in neither folder
    "second_send": "404",  # a /send of an item already accepted: 404, 400, 202 (nothing happens) or duplicate
    "immutable_id_survives": True,
    "keeps_internet_message_id": True,
    "correlation_id_survives": True,
    "purge_stops_copy": True,  # permanentDelete of an accepted item whose copy has not left yet
    "purges_listable": False,
    "requests_at_once": 4,
    "requests_in_ten_minutes": 10_000,  # per app and mailbox
    "suspended": False,  # True: every /send is refused, while everything else works
    "emails_a_day": 10_000,  # beyond that, the sending quota's error
    "throttled_requests_execute": False,  # True: a /send answered with 429 for its rate was executed anyway
    "replies_take_properties": True,  # createReplyAll takes the extended properties of its request
    "replies_quote": False,  # True: createReplyAll adds what is answered below the text it is given
    "reply_properties": True,  # PidTagInReplyToId and PidTagInternetReferences become headers
    "emails_a_minute": 30,  # more are our violation; Exchange would accept and delay them
    "latency": 0.0,  # seconds added to each request of the mailbox
    "strict_refresh_tokens": False,  # True: reusing an old refresh token revokes the family (Entra does not)
    "access_token_lifetime": 3600,
    "smtp_auth_disabled": False,
    "smtp_connections": 0,  # concurrent; beyond that, 432, as Exchange does beyond 3; 0 = no limit
    "unsubscribe_arrives": True,  # PidTagListUnsubscribe (0x1045) becomes a header
    "named_headers_arrive": True,  # named properties of PS_INTERNET_HEADERS become headers
    "original_id_on_reports": True,  # PidTagOriginalMessageId (0x1046) on reports that come in
    "hides_own_tenants_replies": True,  # lists leave out automatic replies from the same tenant
    "search_finds_hidden": True,  # $search finds what lists leave out
    "expands_several": True,  # $expand with several extended properties shows them; False: none
    "shows_headers": True,  # False: internetMessageHeaders is dropped from every item
    "next_links": True,  # False: a list has no nextLink although more exist
    "includes_the_boundary": True,  # False: receivedDateTime ge leaves out what is exactly at it
    "repeats_across_pages": False,  # True: a page begins with the last item of the one before
    "keeps_conversations": True,  # False: an answer from outside gets a conversation id of its own
    "google_keeps_message_id": True,  # False: drafts.send gives the email another Message-ID
    "google_search_delay": 0.0,  # seconds until Gmail's search finds what is new
    "google_history_delay": 0.0,  # seconds until Gmail's history shows what is new, whatever its id says
    "google_units_a_minute": 6_000,  # per app and mailbox; earlier documentation says 15,000
    "google_refresh_tokens": 100,  # per app and account; earlier documentation says 50
    "google_testing": False,  # True: the app's publishing status is "Testing", so refresh tokens end after 7 days
    "google_push_lost": False,  # True: Gmail publishes nothing of what changes
    "google_push_delay": 0.0,  # seconds until Pub/Sub pushes it
    "google_push_repeats": 1,  # how often, as after an acknowledgement that got lost
    "subscription_minutes": 10_080,  # the longest subscription; earlier documentation says 4,230
}
