/** What the server POSTs to the URL of a document; the answer is the document, JSON or YAML. */
export interface DocumentRequest {
  call: {
    call_id: string;
    node_id: string;
    segment_id: string;
    call_state: string;
    direction: 'inbound' | 'outbound';
    type: 'sip' | 'phone' | 'webrtc';
    from: string;
    to: string;
    headers: { name: string; value: string }[];
    project_id: string;
    space_id: string;
  };
  vars: Record<string, unknown>;
  envs: Record<string, unknown>;
  params: Record<string, unknown>;
}
