import { Room, RoomEvent, Track } from "./livekit-client.mjs";

const AVATARS = ["amber", "blue", "green"];
const LINES_SHOWN = 6;
const byId = (id) => document.getElementById(id);
const video = byId("video");
const state = byId("state");
const transcript = byId("transcript");
let colour = "";

function shows(participant) {
  colour = participant.identity.replace("avatar-", "");
  video.dataset.avatar = participant.identity;
  state.textContent = `${participant.name} speaks for the agent`;
  buttons.forEach((each) => each.setAttribute("aria-pressed", String(each.dataset.colour === colour)));
}

const room = new Room();
room.on(RoomEvent.TrackSubscribed, (track, _publication, participant) => {
  if (track.kind === Track.Kind.Audio) document.body.append(track.attach());
  if (track.kind !== Track.Kind.Video) return;
  track.attach(video);
  shows(participant);
});
room.on(RoomEvent.TrackUnsubscribed, (track) => { track.detach().forEach((each) => each !== video && each.remove()); });
room.on(RoomEvent.Disconnected, () => { state.textContent = "the agent has gone"; });
room.registerTextStreamHandler("lk.transcription", async (reader) => {
  const line = document.createElement("li");
  transcript.append(line);
  while (transcript.children.length > LINES_SHOWN) transcript.firstChild.remove();
  try {
    for await (const text of reader) {
      if (line.lastChild?.dataset.colour !== colour) {
        line.append(document.createElement("span"));
        line.lastChild.dataset.colour = colour;
      }
      line.lastChild.textContent += text;
    }
  } catch (error) {
    line.append(` (${error.message})`);
  }
});

const buttons = AVATARS.map((name) => {
  const button = document.createElement("button");
  button.textContent = `Swap to ${name}`;
  button.id = `swap-${name}`;
  button.dataset.colour = name;
  button.setAttribute("aria-pressed", "false");
  button.onclick = () => swap(name);
  byId("choice").append(button);
  return button;
});

async function swap(name) {
  if (name === colour) return;
  buttons.forEach((each) => { each.disabled = true; });
  state.textContent = `asking for the ${name} avatar`;
  try {
    await room.localParticipant.performRpc({
      destinationIdentity: "agent", method: "swap_avatar", payload: name, responseTimeout: 40000,
    });
  } catch (error) {
    state.textContent = `no swap: ${error.message}`;
  } finally {
    buttons.forEach((each) => { each.disabled = false; });
  }
}

const sound = document.createElement("button");
sound.textContent = "Sound on";
sound.id = "sound";
sound.onclick = () => { room.startAudio(); sound.remove(); };
byId("choice").append(sound);

try {
  const { url, token } = await (await fetch("room.json")).json();
  await room.connect(url, token);
  if (!video.dataset.avatar) state.textContent = "in the room, waiting for the avatar";
} catch (error) {
  state.textContent = `could not join: ${error.message}`;
}
