"""How the emulator behaves where nobody can know how the real Exchange does."""

from typing import Any

# What no test here can settle about the real Exchange, and its usual ways. Each can be set for the world or for one mailbox.
SWITCHES: dict[str, Any] = {
    "copy_delay": 0.0,  # seconds from 202 until the copy leaves the mailbox
    "drafts_delay": 1.0,  # seconds from 202 until the item moves from Drafts to Sent Items
    "leaves_drafts": True,  # False: it stays a draft for ever
    "copy_leaves": True,  # False: accepted, and then nothing ever leaves
    "sent_gap": 0.0,  # seconds for which the item is in neither folder
    "second_send": "404",  # a /send of an item already accepted: 404, 400, 202 (nothing happens) or duplicate
    "immutable_id_survives": True,
    "keeps_internet_message_id": True,
    "correlation_id_survives": True,
    "purge_stops_copy": True,  # permanentDelete of an accepted item whose copy has not left yet
    "purges_listable": False,
    "requests_at_once": 4,
    "requests_in_ten_minutes": 10_000,  # of one app to one mailbox
    "suspended": False,  # True: every /send is refused, while everything else goes on
    "emails_a_day": 10_000,  # more are refused with the sending quota's error
    "throttled_requests_execute": False,  # True: a /send answered 429 for its rate was executed all the same
    "reply_properties": True,  # PidTagInReplyToId and PidTagInternetReferences become headers
    "emails_a_minute": 30,  # more are a violation of ours; Exchange would take them and let them wait
    "latency": 0.0,  # seconds added to each request of the mailbox
    "strict_refresh_tokens": False,  # True: reusing an old refresh token revokes the family (Entra does not)
    "access_token_lifetime": 3600,
    "smtp_auth_disabled": False,
    "smtp_connections": 0,  # more at the same time get 432, as Exchange does beyond 3; 0 = no limit
    "subscription_minutes": 10_080,  # the longest life of a subscription; documentation of another year says 4,230
}
