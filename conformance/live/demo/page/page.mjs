import { Room, RoomEvent, Track } from "./livekit-client.mjs";

const AVATARS = ["amber", "blue", "green"];
const LINES_SHOWN = 6;
const byId = (id) => document.getElementById(id);
const video = byId("video");
const state = byId("state");
const transcript = byId("transcript");

const room = new Room();
room.on(RoomEvent.TrackSubscribed, (track, _publication, participant) => {
  if (track.kind !== Track.Kind.Video) return;
  track.attach(video);
  video.dataset.avatar = participant.identity;
  state.textContent = `${participant.name} speaks for the agent`;
});
room.on(RoomEvent.TrackUnsubscribed, (track) => {
  if (track.kind === Track.Kind.Video) track.detach(video);
});
room.on(RoomEvent.Disconnected, () => { state.textContent = "the agent has gone"; });
room.registerTextStreamHandler("lk.transcription", async (reader) => {
  const line = document.createElement("li");
  transcript.append(line);
  while (transcript.children.length > LINES_SHOWN) transcript.firstChild.remove();
  try {
    for await (const text of reader) line.textContent += text;
  } catch (error) {
    line.textContent += ` (${error.message})`;
  }
});

const buttons = AVATARS.map((name) => {
  const button = document.createElement("button");
  button.textContent = `Swap to ${name}`;
  button.id = `swap-${name}`;
  button.onclick = () => swap(name);
  byId("choice").append(button);
  return button;
});

async function swap(name) {
  const agent = [...room.remoteParticipants.values()].find((each) => each.identity === "agent");
  buttons.forEach((each) => { each.disabled = true; });
  state.textContent = `asking for the ${name} avatar`;
  try {
    await room.localParticipant.performRpc({
      destinationIdentity: agent.identity, method: "swap_avatar", payload: name, responseTimeout: 40000,
    });
  } catch (error) {
    state.textContent = `no swap: ${error.message}`;
  } finally {
    buttons.forEach((each) => { each.disabled = false; });
  }
}

const sound = document.createElement("button");
sound.textContent = "Sound on";
sound.onclick = () => { room.startAudio(); sound.remove(); };
byId("choice").append(sound);
room.on(RoomEvent.TrackSubscribed, (track) => {
  if (track.kind === Track.Kind.Audio) document.body.append(track.attach());
});

try {
  const { url, token } = await (await fetch("room.json")).json();
  await room.connect(url, token);
  if (!video.dataset.avatar) state.textContent = "in the room, waiting for the avatar";
} catch (error) {
  state.textContent = `could not join: ${error.message}`;
}
