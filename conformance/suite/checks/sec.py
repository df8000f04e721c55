"""SEC: secrets, hosts that are contacted, and what importing a provider changes."""

from __future__ import annotations

from conformance.results.outcomes import ProviderRaised
from conformance.stage.faults import Fault
from conformance.suite.registry import check
from conformance.suite.scene.avatar import Avatar
from conformance.suite.scene.disclosures import listening
from conformance.suite.scene.expect import expect
from conformance.suite.scene.import_effects import import_effects
from conformance.suite.scene.scene import ROOM, Scene

THREADS_PERIOD = 120.0
"""For how many seconds what the plugin does by itself is watched after its avatar was closed."""

SECRET_HINT = "keep credentials in headers of requests to the vendor, and nowhere else"


@check("SEC-01", tries="places")
async def secrets_stay_secret(scene: Scene) -> None:
    """Secrets appear in nothing that is said: no log, warning, output, exception, repr, URL ..."""
    scene.count["secrets"] += len(scene.secrets)
    with listening() as heard:
        await scene.start_session()
        failing = await scene.create("failing")
        injected = failing.backend.inject(Fault("status", status=401))
        try:
            await scene.start(failing, ready=False)
        except ProviderRaised as failure:
            _clean(scene, "the exception of a refused start", repr(failure.error))
        injected.withdraw()
        await scene.abandon(failing)
        avatar = await scene.started()
        await scene.spoken(scene.say(0.6))
        _clean(scene, "repr() of the avatar session", repr(avatar.instance))
        _clean(scene, "the URL of a request", _urls(avatar))
        for identity, attributes in scene.stage.server.participants(ROOM).items():
            for name, value in attributes.items():
                _clean(scene, f"attribute {name!r} of participant {identity!r}", value)
        await scene.close(avatar)
    for where, text in heard.said:
        _clean(scene, where, text)


def _clean(scene: Scene, where: str, text: str) -> None:
    scene.count["places"] += 1
    leaked = scene.leaks(text)
    expect(not leaked, f"no secret in {where}", ", ".join(leaked), hint=SECRET_HINT)


def _urls(avatar: Avatar) -> str:
    return " ".join(request.path for request in avatar.backend.requests)


@check("SEC-02")
async def declared_hosts_only(scene: Scene) -> None:
    """Only the hosts that the manifest declares are contacted."""
    await scene.start_session()
    avatar = await scene.started()
    await scene.spoken(scene.say(0.6))
    held = scene.stage.undeclared_contacts  # of native code: what it holds at this moment
    await scene.close(avatar)
    if scene.clock.virtual:
        await scene.clock.sleep(THREADS_PERIOD)
    unseen = "had no network" if scene.stage.isolated else "contacted whom it would, unseen"
    for child in scene.stage.children:
        scene.notes.append(
            f"the child process {child.program}, started by {child.origin}, {unseen}"
        )
    contacts = [
        contact
        for contact in (*scene.earlier_contacts, *held, *scene.stage.undeclared_contacts)
        if contact.concerns(scene.manifest.name, scene.provider.module)
    ]
    expect(
        not contacts,
        f"no host but {', '.join(scene.manifest.hosts) or 'none'} is contacted",
        "; ".join(dict.fromkeys(f"{contact.address} by {contact.origin}" for contact in contacts)),
        hint="declare the host in the manifest, or do not contact it",
    )


@check("SEC-03", tries="imports", needs_avatar=False)
async def import_changes_nothing(scene: Scene) -> None:
    """Importing the provider changes nothing of the application."""
    scene.count["imports"] += 1
    effects = import_effects(scene.provider.module)
    expect(
        not effects,
        "importing the plugin leaves logging, environment, event loop policy and signals alone",
        "; ".join(effects),
        hint="configure your own logger only, and nothing at import",
    )
