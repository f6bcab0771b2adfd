/** Words of SVAML. */
export const svamlWords: readonly string[] = [
  ...['"instructions":', '"action":', '"name":', '"record":true', '"recordingOptions":', '"options":'],
  ...['{}', '[]', 'null', 'true', '"true"', '-1', '14401', '1e9', '0.5', '""', '__proto__', 'constructor'],
  ...['say', 'playFiles', 'sendDtmf', 'setCookie', 'answer', 'startRecording', 'stopRecording'],
  ...['hangup', 'continue', 'connectPstn', 'connectSip', 'connectMxp', 'connectConf', 'connectStream'],
  ...['runMenu', 'park', 'menu(main)', 'menu(sub)', 'return(x)', 'return()', 'main', 'id', 'dtmf'],
  ...['#tts[', '#ssml[', '#href[', ']', ';', '<break time="250ms"/>', '&amp;', 'https://a.example/a.mp3'],
  ...['s3://b/f.mp3', 'azure://a/c/', 'gs://b', 'sdrive://f.wav', 'file:///x', 'a:b:c', 'mp3', 'wav'],
];

export const svamlSeeds: readonly string[] = [
  '{"instructions":[{"name":"Say","text":"Hello","locale":"Joanna"},{"name":"startRecording","options":[{"destinationUrl":"s3://b/f.mp3","credentials":"a:b:c","format":"wav","notificationEvents":"true","transcriptionOptions":{"enabled":true,"locale":"en-US"}}]},{"name":"playFiles","ids":["#tts[a];#ssml[<speak>b<break/></speak>]","https://a.example/a.mp3"]},{"name":"sendDtmf","value":"1w2#"},{"name":"setCookie","key":"a","value":"b"},{"name":"answer"},{"name":"stopRecording"}],"action":{"name":"connectPstn","number":"+15551231234","cli":"+1","maxDuration":60,"dialTimeout":5,"indications":"uk","recordingOptions":{"destination":"azure://a/c/f.mp3","credentials":"a:b:c"}}}',
  '{"action":{"name":"runMenu","barge":false,"locale":"en-US","mainMenu":"main","menus":[{"id":"main","mainPrompt":"#tts[one]","repeatPrompt":"#tts[two]","repeats":2,"options":[{"dtmf":"1","action":"menu(sub)"},{"dtmf":"#","action":"return(x)"}]},{"id":"sub","maxDigits":4,"timeoutMills":0,"options":[{"dtmf":"1","action":"menu(main)"}]}]}}',
  '{"action":{"name":"connectConf","conferenceId":"room","moh":"ring","record":true,"recordingOptions":{"destinationUrl":"gs://b/","credentials":"a:b:c"},"conferenceDtmfOptions":{"mode":"detect","maxDigits":2,"timeoutMills":10}}}',
  '{"action":{"name":"connectSip","destination":{"type":"sip","endpoint":"a@b.example"},"transport":"tls","callHeaders":[{"key":"a","value":"b"}],"suppressCallbacks":true}}',
  '{"instructions":[{"name":"startRecording"}],"action":{"name":"connectMxp","destination":{"type":"username","endpoint":"a"},"record":"false"}}',
  '{"action":{"name":"park","introPrompt":"#tts[a]","holdPrompt":"#href[https://a.example/a.mp3]","maxDuration":600}}',
  '{"action":{"name":"StopRecording"}}',
];
