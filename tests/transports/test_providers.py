"""The registry of providers is complete, and agrees with what decisions in ``domain/`` use."""

import pytest

from domain.connection import REFUSED_BY, SCOPES, TRACEABLE, Provider
from transports.base import KnowsDomains, ListsDrafts, Subscribes, Traceable
from transports.entra import normalise_scope
from transports.providers import PROVIDERS, SignIn


def test_every_provider_is_registered() -> None:
    assert set(PROVIDERS) == set(Provider) == set(SCOPES) == set(REFUSED_BY)


@pytest.mark.parametrize("provider", Provider)
def test_what_is_asked_for_is_what_has_to_be_granted(provider: Provider) -> None:
    kind = PROVIDERS[provider]
    assert {normalise_scope(scope) for scope in kind.scopes} == SCOPES[provider]
    assert set(kind.scopes) <= set(kind.consents)
    assert bool(kind.scopes) == (kind.sign_in is SignIn.MICROSOFT)


def test_a_provider_is_traceable_if_its_transports_are() -> None:
    assert {provider for provider, kind in PROVIDERS.items() if kind.offers(Traceable)} == TRACEABLE


def test_a_transport_by_smtp_claims_nothing_that_it_cannot_do() -> None:
    for capability in (Traceable, ListsDrafts, Subscribes, KnowsDomains):
        assert PROVIDERS[Provider.GRAPH].offers(capability)
        assert not PROVIDERS[Provider.SMTP].offers(capability)
