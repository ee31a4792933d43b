"""The registry of providers is complete, and agrees with what decisions in ``domain/`` use."""

import pytest

from domain.connection import REFUSED_BY, SCOPES, TRACEABLE, Provider
from transports import entra, google
from transports.base import KnowsDomains, ListsDrafts, Traceable
from transports.hints import Publishes, Subscribes
from transports.providers import PROVIDERS, SignIn


def test_every_provider_is_registered() -> None:
    assert set(PROVIDERS) == set(Provider) == set(SCOPES) == set(REFUSED_BY)


@pytest.mark.parametrize("provider", Provider)
def test_what_is_asked_for_is_what_has_to_be_granted(provider: Provider) -> None:
    kind = PROVIDERS[provider]
    spelled = google.normalise_scope if kind.sign_in is SignIn.GOOGLE else entra.normalise_scope
    assert {spelled(scope) for scope in kind.scopes} == SCOPES[provider]
    assert set(kind.scopes) <= set(kind.consents)
    assert bool(kind.scopes) == (kind.sign_in in (SignIn.MICROSOFT, SignIn.TENANT, SignIn.GOOGLE))


def test_a_provider_is_traceable_if_its_transports_are() -> None:
    assert {provider for provider, kind in PROVIDERS.items() if kind.offers(Traceable)} == TRACEABLE


def test_a_transport_by_smtp_claims_nothing_that_it_cannot_do() -> None:
    for capability in (Traceable, ListsDrafts, Subscribes, KnowsDomains):
        assert PROVIDERS[Provider.GRAPH].offers(capability)
        assert not PROVIDERS[Provider.SMTP].offers(capability)
    assert PROVIDERS[Provider.GMAIL].offers(Publishes)
    assert not any(PROVIDERS[each].offers(Publishes) for each in (Provider.GRAPH, Provider.SMTP))
